#!/bin/sh
# The kernel's simulated GPIO chip as a module: Debian's kernels have none, its source comes with linux-source. Runs in the root of a machine.
set -eu
kernel=$(basename /lib/modules/*)
at=/srv/gpio-sim
mkdir -p $at
cd $at
tar -xJf /usr/src/linux-source-6.1.tar.xz --strip-components=1 --occurrence \
    linux-source-6.1/kernel/irq/irq_sim.c linux-source-6.1/drivers/gpio/gpio-sim.c linux-source-6.1/drivers/gpio/gpiolib.h
mv kernel/irq/irq_sim.c drivers/gpio/* .
# irq_sim is meant to be part of the kernel: what only that may call becomes what a module calls
sed -i 's/handle_simple_irq(irq_to_desc(irqnum))/generic_handle_irq(irqnum)/; s/#include <linux\/irq.h>/&\n#include <linux\/module.h>/' irq_sim.c
echo 'MODULE_LICENSE("GPL");' >>irq_sim.c
echo 'obj-m := irq_sim.o gpio-sim.o' >Makefile
make -C "/lib/modules/$kernel/build" "M=$at" modules
mkdir -p "/lib/modules/$kernel/extra"
cp ./*.ko "/lib/modules/$kernel/extra"
depmod "$kernel"
