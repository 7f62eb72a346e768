# python3: its own tests of subprocess.
# timeout: 240
. "$(dirname "$0")/common"
. "$here/python-tests"
# Left out: those that wait for seconds, and one that becomes a user who may not read the library.
python_tests -i '*timeout*' -i test_user test_subprocess
