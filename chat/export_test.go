package chat

// SMSParts counts the parts of a text message.
func SMSParts(s string) int { return parts(s) }
