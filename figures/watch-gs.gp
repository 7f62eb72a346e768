# watch-gs.gp -- addresses against time, one program on three allocators.
program = "gs"
load "figures/watch-address.inc"
