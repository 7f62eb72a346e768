# watch-sqlite.gp -- addresses against time, one program on three allocators.
program = "sqlite"
load "figures/watch-address.inc"
