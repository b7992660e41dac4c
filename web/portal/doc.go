// Package portal is what citizens see: search and articles, filing a ticket, the confidential report, following a ticket by its code.
//
// Pages are rendered on the server and work without JavaScript; scripts only make them nicer (suggestions, position, copying). The chat widget is the one
// exception.
//
// Invariants:
//   - What a person types is only ever text: html/template escapes it, and Markdown comes through the sanitizer.
//   - The answers of a half-filled form live in the session store, encrypted with a key that only the person's browser has (drafts.go). They work with any
//     node, survive "back" and "reload", fit more than a cookie holds, and a stolen database shows nothing of them. Hidden fields would do
//     without a cookie, but lose the answers on the browser's own "back" and put a report's text into the browser's history.
//   - A tracking code is never in a URL, a log or a page's title. It is posted, and exchanged for a cookie that lasts half an hour and goes to /track only.
//   - Filing twice with the same draft gives the same ticket: the draft's key is the message's external id.
//   - A confidential report takes only files whose metadata is removed when they are stored (chat.Upload does it), under names of our own.
//
// It declares the services it calls (backend.go); internal/app gives it the real ones. It may import the domain packages, web/httperr,
// web/static and the leaves under internal.
package portal
