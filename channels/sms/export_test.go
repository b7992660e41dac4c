package sms

// Bound reports whether messages can be sent.
func (a *Adapter) Bound() bool { s, _ := a.bound(); return s != nil }
