# bin/journeyctl: the operators' tool
SERVICES += journeyctl
journeyctl_SRC := main.c help.c commands.c ctl.c database.c publish.c scan.c tenants.c keys.c settings.c identifiers.c topics.c tail.c \
	dlq.c sessions.c files.c sender.c progress.c import.c import_file.c import_send.c import_state.c replay.c demo.c load.c load_figures.c
journeyctl_DOMAIN := domain/args.c domain/apikey.c domain/csv.c domain/records.c domain/columns.c domain/repeats.c \
	domain/envfile.c domain/index.c domain/dataset.c domain/retentioneering.c domain/completejourney.c domain/completejourney_write.c \
	domain/lanes.c domain/visitor.c
journeyctl_DOMAIN_HEAP := 1
journeyctl_USES := base bus decode http json letters privacy proto setting store stream topics
journeyctl_PKGS := libpq libevent zlib
