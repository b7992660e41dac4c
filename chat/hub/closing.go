package hub

// Why a socket is closed. A client comes back after 1001, 1006, 1011–1013 and 4000–4199, with pauses that grow, and not after 4400–4499.
const (
	CloseBye         = 1000 // the client said so
	CloseTooBig      = 1009 // a frame above the read limit; the client must not send it again
	CloseRestart     = 4000 // this node stops: come back at once, another node answers
	CloseSlow        = 4001 // the client read too slowly: come back with after=<last seq>
	CloseSilent      = 4002 // no sign of life for too long
	CloseUnavailable = 4003 // the hotline cannot reach its database just now
	CloseRate        = 4029 // too much at once: come back after half a minute
	CloseBadFrame    = 4400 // not a frame of this protocol
	CloseNoHello     = 4401 // the first frame was no hello, came too late, or held a malformed token
	CloseForbidden   = 4403 // unknown site key, or the page's origin is not listed for it
)

// ComeBack reports whether a client should connect again after this code.
func ComeBack(code int) bool {
	switch code {
	case CloseBye, CloseTooBig, 1002, 1003, 1007, 1008, 1010:
		return false
	}
	return code < 4400 || code > 4499
}
