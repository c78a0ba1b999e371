SERVICES += journey-state
journey-state_SRC := main.c service.c decide.c commands.c answers.c effects.c jsonb.c messages.c reading.c reading_commands.c project.c record.c render.c rules.c tables.c
journey-state_DOMAIN := domain/conversion.c domain/engagement.c domain/money.c domain/path.c domain/session.c domain/stage.c domain/text.c
journey-state_USES := base json proto service store stream topics
journey-state_PKGS := libprotobuf-c
