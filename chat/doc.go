// Package chat holds conversations: what people and the hotline say to one another, on whatever channel.
//
// Invariants, each held by a test:
//   - Ingest returns only after commit. Receipt, conversation, message, the reply to an emergency and the promise of a turn are one
//     transaction and one round trip (the SQL function chat_ingest); there is no conversation without its message.
//   - The same delivery again returns the first result; another body under the same id is ErrReceiptConflict.
//   - seq is gap-free within a conversation: the row lock on the conversation orders all writers.
//   - A turn thinks outside any transaction and writes only if its lease, the last seq and the holder are what they were; a person who
//     takes over while it thinks wins. conversations.turn_due_at guarantees the turn when the process that ingested dies.
//   - Messages to people on push channels get a delivery row and a job in the same transaction; within one conversation they are sent in
//     order. A failure for good is shown to staff in words.
//   - A tracking code is never stored: texts hold {tracking_code}, filled only for the citizen (RenderFor).
//   - Hints go on the bus after commit. A lost hint delays a message and loses nothing: readers read rows after their own cursor.
//
// Life cycle: New, Start, Stop; Start and Stop may be called twice. Ingest and the rest work without Start, turns then wait for a node
// that runs. The package may import tickets, channels, chat/bot and the leaves under internal; chat/hub and the surfaces import it.
package chat
