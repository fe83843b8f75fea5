#include "occupancy.h" /* moved to arch/ */
