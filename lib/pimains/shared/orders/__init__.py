"""Orders to a running service, and its answers: one line each, through FIFOs in one directory, from programs and from halt's steps.

    /run/pimains/<instance>/orders/ask       a FIFO: "ID WORD ...", at most PIPE_BUF bytes, which the kernel never mixes with another's
    /run/pimains/<instance>/orders/words     what the service understands, a word in each line; where /run is full a name says it,
    /run/pimains/<instance>/orders/words.WORD     a file without a byte for each of them
    /run/pimains/<instance>/orders/said.ID   a FIFO that the asker makes before and removes afterwards: "ok TEXT" or "failed TEXT"

ID is another one for each order: the asker's process id, a point, and what makes it unique, of 0-9, A-Z, a-z and points. Who asks may
repeat an order, in case the service was just restarted: it is carried out once. services/order.sh is the asker's end for the steps.

Whoever may write there may give orders: root and group pimains. All that lies there may be a stranger's: a service of root, too, opens
nothing but FIFOs, follows no link and waits for nobody.
"""
