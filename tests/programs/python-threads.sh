# python3: its own tests of threads.
# timeout: 240
. "$(dirname "$0")/common"
. "$here/python-tests"
python_tests test_threading test_thread
