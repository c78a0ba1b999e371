/* The process: the scaffolding of libs/service around the table in service.c. */
#include "service.h"

#include "journey_state.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &journey_state_service, NULL);
}
