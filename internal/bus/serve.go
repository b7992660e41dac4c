package bus

import (
	"errors"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Serve runs a server on a free port of this machine's loopback, for several nodes on one machine: the bench and tests. stop ends it and waits.
func Serve() (url string, stop func(), err error) {
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true, NoLog: true, MaxPayload: maxPayload})
	if err != nil {
		return "", nil, err
	}
	ns.Start()
	stop = func() { ns.Shutdown(); ns.WaitForShutdown() }
	if !ns.ReadyForConnections(10 * time.Second) {
		stop()
		return "", nil, errors.New("bus: the server did not start")
	}
	return ns.ClientURL(), stop, nil
}
