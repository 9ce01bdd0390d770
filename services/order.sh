# shellcheck shell=sh
# What a halt step needs to give an order to running services: this is its end of pimains/shared/orders, where the other one is told.
# A step sources it once it is user pimains. It waits for nobody but the answer, and starts few processes: each costs time on battery.

read -r uptime _ </proc/uptime
id=$$.$uptime # of this order, in every directory

# ask_each WORD: calls `each DIRECTORY` for every service that understands WORD, for all at the same time; 0 when all of them return 0,
# else what one of them returned: 124 before anything else, by which a step says that it had too little time
ask_each() {
    asked=
    next=
    for orders in "${PIMAINS_ROOT%/}"/run/pimains/*/orders; do
        understands "$orders" "$1" || continue
        if [ "$next" ]; then
            each "$next" &
            asked="$asked $!"
        fi
        next=$orders
    done
    worst=0
    [ ! "$next" ] || each "$next" || fails $? # mostly it is the only one, and needs no process of its own
    for one in $asked; do
        wait "$one" || fails $?
    done
    return "$worst"
}

fails() { # CODE
    [ "$worst" = 124 ] || worst=$1
}

# order_before FIFO SECONDS ANSWERS LINE: the same to a service of 0.1, which is not restarted by an upgrade while this halt is under way;
# 2 where there is none. Such a service has an ask and an answer FIFO of its own, and no words.
order_before() {
    directory=${1%/*}
    name=${directory##*/}
    [ -p "$1" ] && [ ! -p "$directory/orders/ask" ] || return 2
    echo "$$ $4" 1<>"$1"
    answer=$(timeout "$2" sed -n "/^$$ /{s///p;q;}" <>"$directory/$3")
    [ "$answer" ] && return
    answer="$name did not answer within $2 s"
    return 1
}

understands() { # DIRECTORY WORD; not in $word: many a step has its order there
    [ ! -e "$1/words.$2" ] || return 0 # of a /run that was full
    [ -f "$1/words" ] || return 1
    while read -r known; do
        [ "$known" != "$2" ] || return 0
    done <"$1/words"
    return 1
}

# order DIRECTORY SECONDS WORD [TEXT]: gives the order, once more every second in case the service was just restarted, and waits.
# Returns 0 when it was answered: $answer is then `ok ...` or `failed ...`; 1 when it was not: $answer says why; 2 when the service
# has ended in order meanwhile. With $restarts it is waited for then, too. $late is empty unless all of its seconds have gone by.
order() {
    name=${1%/orders}
    name=${name##*/}
    said=$1/said.$id
    answer=$(mkfifo -m 660 "$said" 2>&1) || {
        [ -p "$1/ask" ] || return 2
        return 1
    }
    exec 3<>"$said" # the service answers nobody who does not read
    hundredths
    end=$((now + $2 * 100))
    [ "$3" != leave ] || end=$((end + 100)) # a second more than it is given, for its answer
    given=
    absent=
    result=
    until [ "$result" ]; do
        line="$id $3"
        [ "$3" != leave ] || line="$line $(((end - now - 1) / 100))"
        give "$1/ask" "$line ${4:-}"
        seconds=1
        if [ $((end - now)) -lt 100 ]; then
            seconds=$((end - now + 100))
            seconds=0.${seconds#1}
        fi
        answer=$(timeout "$seconds" head -n 1 <&3)
        hundredths
        if [ "$answer" ]; then
            result=0
        elif [ ! -p "$1/ask" ] && [ ! "${restarts:-}" ]; then
            result=2
        elif [ "$now" -ge "$end" ]; then
            result=1
            answer="$name did not answer within $2 s"
        elif [ "${#absent}" -ge 12 ]; then
            result=1
            answer="$name does not run"
        fi
    done
    rm -f "$said"
    late=yes
    # shellcheck disable=SC2034  # who called it reads it
    [ "$((end - now))" -le 150 ] || late=
    return "$result"
}

give() { # FIFO LINE: $absent gets a letter longer each time that nobody reads
    if [ ! "$given" ]; then
        given=yes
        # no process; opened for reading and writing, a FIFO makes nobody wait
        [ ! -p "$1" ] || printf '%.4000s\n' "${2% }" 1<>"$1"
    elif printf '%.4000s\n' "${2% }" | dd of="$1" bs=4096 oflag=nonblock conv=notrunc,nocreat status=none 2>/dev/null; then
        absent=
    else
        absent=x$absent
    fi
}

hundredths() { # sets $now, since boot
    read -r now _ </proc/uptime
    now=${now%.*}${now#*.}
    now=${now#0} # would be octal
}
