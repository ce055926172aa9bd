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

# The settings of the resource plan for a command, name=value a line, in the array settings.
plan() {
  local java=${JAVA_HOME:+$JAVA_HOME/bin/}java scheduler=$1 jars lines
  shift
  jars=$SPARK_HOME/jars
  [ -d "$jars" ] || fail "SPARK_HOME=$SPARK_HOME has no jars: point it at a Spark 3.5 (Scala 2.12)"
  lines=$("$java" -Xmx1g --add-modules=jdk.incubator.vector \
    --add-opens=java.base/java.nio=ALL-UNNAMED --add-opens=java.base/sun.nio.ch=ALL-UNNAMED \
    -cp "$root/target/mixtraining.jar:$root/conf:$jars/*" org.mixtraining.cli.Main \
    resources --for "$scheduler" "$@") || exit $?
  mapfile -t settings <<<"$lines"
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
  submit+=("$jar" "$@")

  if [ -n "$print" ]; then
    printf '%q ' "${submit[@]}"
    echo
  else
    [ -x "$SPARK_HOME/bin/spark-submit" ] ||
      fail "SPARK_HOME=$SPARK_HOME has no bin/spark-submit: point it at a Spark 3.5 (Scala 2.12)"
    exec "${submit[@]}"
  fi
}
