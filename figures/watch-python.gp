# watch-python.gp -- addresses against time, one program on three allocators.
program = "python"
load "figures/watch-address.inc"
