// Package console is where staff work: server-rendered pages under /console/ for the inbox, tickets, live chats, the dispatcher's desk,
// knowledge and administration.
//
// Invariants: the stores authorise, the console only hides what a person may not do, so every call carries the signed-in person's actor
// and a ticket of another agency is "not found". Every page works without JavaScript; console.js adds keys, live updates and dialogs, and
// never touches a field that somebody is typing in. A form that meets a change by someone else comes back with what was typed and with
// words about who changed what. No inline script or style: the pages obey the policy of httperr.SecureHeaders. A hint on the bus only
// says "look again"; what is shown is always read with the person's own actor.
//
// Life cycle: New parses all templates and subscribes to the bus; Close ends the event streams. The package may import the domain,
// internal/auth, internal/i18n, web/httperr and web/static.
package console
