# Common part of the launchers standalone, yarn and kubernetes; they source it, and then call
#   launch SCHEDULER MASTER [option of spark-submit …] -- ARGUMENTS OF THE LAUNCHER
# shellcheck shell=bash
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case $root in
  *:*)
    echo "$(basename "$0"): $root has a colon in its name, which ends a path on Java's class path: move it elsewhere" >&2
    exit 2
    ;;
esac
jar=$root/target/mixtraining.jar # or another, where the executors have it elsewhere
required=()                      # environment variables besides SPARK_HOME
driver_exit=                     # pattern of spark-submit's log that tells the exit code of a driver elsewhere
driver_after=^                   # pattern of the line from which the next such exit code is the driver's
sent=()                          # arguments for the driver, if not the launcher's
must_tell=                       # not empty if spark-submit itself exits with 0 whatever became of that

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

# Without a locale Java finds no file with letters beyond ASCII in its name.
if [ "$(locale charmap 2>/dev/null)" = ANSI_X3.4-1968 ]; then
  unset LC_ALL
  export LC_CTYPE=C.UTF-8
fi

# The comment at the head of a launcher is its help.
usage() {
  sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0"
}

# The settings of the resource plan for a command, name=value a line, in the array settings. spark-submit
# asks for them as it starts the job: with the same Hadoop, spark-defaults.conf, packages and principal.
plan() {
  local scheduler=$1 lines
  shift
  # shellcheck disable=SC2086
  lines=$("$SPARK_HOME/bin/spark-submit" --class org.mixtraining.cli.Main ${MIXTRAINING_SUBMIT_OPTIONS:-} \
    --master 'local[1]' --deploy-mode client --name mixtraining-resources --driver-memory 1g \
    --conf 'spark.driver.defaultJavaOptions=--add-modules=jdk.incubator.vector -XX:TieredStopAtLevel=1' \
    "$root/target/mixtraining.jar" resources --for "$scheduler" "$@") || exit $?
  mapfile -t settings < <(grep '^spark\.[^=]*=' <<<"$lines")
}

# Runs spark-submit for a driver on the cluster, whose exit code its log tells by the last match of
# driver_exit after driver_after, and exits with that.
exit_as_driver() {
  local log told code
  log=$(mktemp)
  set +e
  { "$@" 2>&1 >&3 | tee "$log" >&2; code=${PIPESTATUS[0]}; } 3>&1
  set -e
  told=$(sed -nE "/$driver_after/,/$driver_exit/s/.*$driver_exit.*/\\1/p" "$log" | tail -n 1)
  rm -f "$log"
  if [ -z "$told" ] && [ "$code" = 0 ] && [ -n "$must_tell" ]; then
    echo "$(basename "$0"): spark-submit's log does not tell the driver's exit code; let it log INFO" >&2
    exit 1
  fi
  exit "${told:-$code}"
}

launch() {
  local scheduler=$1 master=$2 print='' settings=() options=() submit setting name
  shift 2
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  if [ "${1:-}" = --print ]; then
    print=yes
    shift
  fi
  case " $* " in
    '  ' | *' -h '* | *' --help '*)
      usage
      exit 0
      ;;
  esac
  for name in SPARK_HOME "${required[@]}"; do
    [ -n "${!name:-}" ] || fail "$name is not set; see $(basename "$0") --help"
  done
  id -un >/dev/null 2>&1 ||
    fail "user id $(id -u) has no name, which spark-submit needs: add one to /etc/passwd"
  [ -f "$root/target/mixtraining.jar" ] ||
    fail "$root/target/mixtraining.jar is missing: build it with 'mvn -q package -DskipTests' in $root"
  [ -x "$SPARK_HOME/bin/spark-submit" ] ||
    fail "SPARK_HOME=$SPARK_HOME has no bin/spark-submit: point it at a Spark 3.5 (Scala 2.12) or 4"
  plan "$scheduler" "$@"

  submit=("$SPARK_HOME/bin/spark-submit" --class org.mixtraining.cli.Main --master "$master")
  submit+=("${options[@]}")
  for setting in "${settings[@]}"; do
    submit+=(--conf "$setting")
  done
  # A speculative copy of a worker would train the same epoch twice in vain.
  submit+=(--conf spark.speculation=false)
  # shellcheck disable=SC2206
  submit+=(${MIXTRAINING_SUBMIT_OPTIONS:-})
  [ "${#sent[@]}" = 0 ] || set -- "${sent[@]}"
  submit+=("$jar" "$@")

  if [ -n "$print" ]; then
    printf '%q ' "${submit[@]}"
    echo
  elif [ -n "$driver_exit" ]; then
    exit_as_driver "${submit[@]}"
  else
    exec "${submit[@]}"
  fi
}
