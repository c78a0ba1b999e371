SERVICES += template
template_SRC := main.c decide.c
template_DOMAIN := domain/count.c
template_USES := base proto service store stream topics
