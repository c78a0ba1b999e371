#include "service.h"
#include "template.h"

int main(int argc, char **argv)
{
    return service_main(argc, argv, &template_service, NULL);
}
