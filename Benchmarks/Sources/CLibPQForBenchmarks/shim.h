// Only the C baselines include libpq; this target finds it for them.
#include <libpq-fe.h>
