# python3: its own tests of multiprocessing with fork, but for those that mostly sleep.
# timeout: 240
. "$(dirname "$0")/common"
. "$here/python-tests"
python_tests -m '*.WithProcessesTestPool.*' -m '*.WithThreadsTestPool.*' -m '*.WithProcessesTestProcess.*' \
    -m '*.WithProcessesTestQueue.*' -m '*.WithProcessesTestConnection.*' -m '*.WithProcessesTestSharedMemory.*' \
    -m '*.WithProcessesTestHeap.*' -m '*.WithProcessesTestSharedCTypes.*' -m '*.TestSyncManagerTypes.*' \
    -m '*.WithProcessesTestPoolWorkerErrors.*' -m '*.WithManagerTestContainers.*' -m '*.ForkTest.*' \
    -i '*timeout*' test_multiprocessing_fork test_fork1
