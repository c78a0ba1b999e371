#include "ingest.h"
#include "service.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &ingest_service);
}
