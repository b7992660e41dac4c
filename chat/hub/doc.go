// Package hub serves citizens' live conversations: the WebSocket protocol hotline.chat.v1 and the HTTP routes beside it
// (docs/chat-protocol.md). It wraps gorilla/websocket and keeps no state that matters: a socket is a cursor into rows.
//
// Invariants, each held by a test:
//   - A client's message is acknowledged only after it is durable.
//   - Messages reach a socket in order and without gaps: one pump a connection reads rows after the connection's cursor, page by page, and
//     waits while the client is slow. Hints from the bus only wake the pump; a slow tick makes up for lost ones.
//   - A client that reads too slowly is closed with a code that says "come back", and replays from its last seq. Nothing is dropped.
//   - An idle connection costs one small goroutine that reads, a few hundred bytes of state and no timer of its own: the handler has
//     returned, write buffers are pooled, a writer exists only while something is queued, one wheel pings all connections.
//   - No cookie anywhere: the token comes in the first frame or a header, so a foreign page can do nothing in a citizen's name. Origins are
//     listed for each site key.
//
// Life cycle: New, Start, Handler, Stop; Stop closes sockets with "come back" and waits for them, and may be called twice.
// The package may import chat, channels, the leaves under internal, and net/http.
package hub
