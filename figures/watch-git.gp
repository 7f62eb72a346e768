# watch-git.gp -- addresses against time, one program on three allocators.
program = "git"
load "figures/watch-address.inc"
