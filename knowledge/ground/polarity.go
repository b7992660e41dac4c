package ground

import (
	"regexp"
	"slices"
	"strings"

	"hotline/knowledge"
)

// spans are the parts of a text that a negation reaches, in bytes.
type spans [][2]int

func (s spans) covers(at int) bool {
	for _, x := range s {
		if at >= x[0] && at < x[1] {
			return true
		}
	}
	return false
}

var (
	// A negation reaches the words behind it up to the next comma or "but".
	enNegation = regexp.MustCompile(`(?i)\b(?:not|no|never|cannot|can't|can’t|don't|don’t|doesn't|doesn’t|won't|won’t|isn't|isn’t|aren't|aren’t|didn't|didn’t|shouldn't|shouldn’t|mustn't|mustn’t|needn't|needn’t|wasn't|wasn’t|neither|nor|without|nobody|nothing|none|unable|ineligible|forbidden|prohibited|refus\w+)\b`)
	enReach    = regexp.MustCompile(`(?i)[,;:.()]|\b(?:but|unless|except|however|because|if|until|only)\b`)
	zhNegation = regexp.MustCompile(`不得不|不仅|不但|不同|不少|不断|不动产|不过|不论|不管|不足|不时|非常|非法|无论|无线|未成年|未来|没收|免费|是否|能否|可否|不可抗力|不当得利|不服|不安抗辩|除非|不得|不能|不可|不需|无需|无须|不必|不予|不会|不应|不宜|不再|不是|不属|不用|禁止|严禁|并非|没有|未经|拒绝|不|未|无|非|没|勿|莫`)
	zhReach    = regexp.MustCompile(`[，,。；;：:！？、()（）]|但是|但|除外`)
	// words that only look like a negation
	zhNot = set("不得不 不仅 不但 不同 不少 不断 不动产 不过 不论 不管 不足 不时 非常 非法 无论 无线 未成年 未来 没收 免费 是否 能否 可否 不可抗力 不当得利 不服 不安抗辩 除非")
)

// reach is how far a negation is felt, in bytes of English and of Chinese.
const (
	enReachMax = 48
	zhReachMax = 24
)

func negations(s string) spans {
	var out spans
	find := func(shape, end *regexp.Regexp, limit int, skip map[string]bool) {
		for _, m := range shape.FindAllStringIndex(s, -1) {
			if skip[s[m[0]:m[1]]] {
				continue
			}
			to := min(len(s), m[1]+limit)
			if e := end.FindStringIndex(s[m[1]:to]); e != nil {
				to = m[1] + e[0]
			}
			out = append(out, [2]int{m[1], to})
		}
	}
	find(enNegation, enReach, enReachMax, nil)
	find(zhNegation, zhReach, zhReachMax, zhNot)
	return out
}

// opposites: a sentence with a word of one side, whose source has only the other, says the contrary.
var opposites = compile([][2]string{
	{`\bat least\b|\bminimum\b|\bno less than\b|\bor more\b|至少|最低|不少于|不低于|以上`, `\bat most\b|\bmaximum\b|\bno more than\b|\bup to\b|\bor less\b|\bor fewer\b|至多|最多|最高|不超过|不多于|不高于|以下|以内`},
	{`\bbefore\b|\bprior to\b|之前|以前|前\b`, `\bafter\b|之后|以后`},
	{`\bmust\b|\brequired\b|\bmandatory\b|\bcompulsory\b|\bhave to\b|必须|应当|强制`, `\boptional\b|\bvoluntary\b|\bnot required\b|\bdo not need\b|\bdon't need\b|\bneedn't\b|自愿|无需|不必|无须|不需要|可以不`},
	{`\bfree\b|\bno charge\b|\bno fee\b|\bno cost\b|\bwithout charge\b|免费|不收费|不收取`, `\bfee is\b|\bcosts?\b|\bcharged\b|\bpay\b|收费|缴纳|收取`},
	{`\ballowed\b|\bpermitted\b|\bmay\b|\bcan\b|\beligible\b|\bqualif\w+|可以|允许|有权|能够`, `\bforbidden\b|\bprohibited\b|\bbanned\b|\bmay not\b|\bcannot\b|\bcan't\b|\bineligible\b|\bnot allowed\b|\bmust not\b|\bnot eligible\b|不得|禁止|不能|不可以|不允许|无权|不可`},
	{`\bincrease\w*|\brais\w+|\bhigher\b|增加|提高|上调|上涨`, `\bdecrease\w*|\breduc\w+|\blower\w*|减少|降低|下调|下降`},
	{`\binclud\w+|包括|包含`, `\bexclud\w+|\bexcept\b|不包括|不包含|除外`},
	{`\bopen\b|\bopens\b|开放|营业`, `\bclosed?\b|\bcloses\b|关闭|停业|休息`},
	{`\bvalid\b|有效`, `\binvalid\b|\bvoid\b|无效`},
	{`\bsuccessful\w*|\bapproved?\b|\baccepted?\b|批准|通过|同意`, `\breject\w*|\brefus\w+|\bdenied\b|\bdeny\b|驳回|拒绝|不予`},
	{`\balways\b|\bevery\b|始终|一律|全部`, `\bnever\b|\bsometimes\b|从不|有时|部分`},
	{`\bonline\b|网上|线上`, `\bin person\b|\bby post\b|\bby mail\b|现场|线下|窗口`},
	{`\bthe same day\b|当天|当日`, `\bthe next day\b|次日|第二天`},
	{`\bemployers?\b|用人单位|雇主`, `\bemployees?\b|劳动者|雇员`},
	{`\bbuyers?\b|\btenants?\b|买受人|承租人|租客`, `\bsellers?\b|\blandlords?\b|出卖人|出租人|房东`},
	{`\bplaintiffs?\b|原告`, `\bdefendants?\b|被告`},
	{`\bcreditors?\b|债权人`, `\bdebtors?\b|债务人`},
	{`\bparents?\b|父母`, `\bchild(?:ren)?\b|子女`},
})

// widens are words that make a rule one for everybody: "the first card is free" does not say that cards are free for everyone.
var widens = regexp.MustCompile(`\beveryone\b|\beverybody\b|\banyone\b|\banybody\b|\bin all cases\b|\balways\b|\bwithout exception\b|所有人|任何人|人人|每个人|每个家庭|一律|一概|无论谁`)

// widened reports whether a sentence speaks of everybody where the stretch that carries it does not.
func widened(b bag, near []bag) bool {
	return b.wide && !slices.ContainsFunc(near, func(n bag) bool { return n.wide })
}

func compile(pairs [][2]string) [][2]*regexp.Regexp {
	var out [][2]*regexp.Regexp
	for _, p := range pairs {
		out = append(out, [2]*regexp.Regexp{regexp.MustCompile(p[0]), regexp.MustCompile(p[1])})
	}
	return out
}

// turned reports whether a sentence has a word whose opposite stands in the stretch that carries it, and not itself.
func turned(b bag, near []bag) bool {
	said := map[string]bool{}
	for _, n := range near {
		for k := range n.turns {
			said[k] = true
		}
	}
	for _, o := range opposites {
		for i := range o {
			side, other := o[i].String(), o[1-i].String()
			if b.turns[side] && !b.turns[other] && !said[side] && said[other] {
				return true
			}
		}
	}
	return false
}

// against compares a sentence with the ones nearest to it: those that hold most of its words, and of these the ones that say little else.
func against(b bag, all []bag) bool {
	type near struct {
		of             bag
		share, reverse float64
	}
	var ns []near
	best := 0.0
	for _, n := range all {
		if s := b.share(n); s > 0 {
			ns = append(ns, near{n, s, n.share(b)})
			best = max(best, s)
		}
	}
	reverse := 0.0
	for _, n := range ns {
		if n.share >= best-0.05 {
			reverse = max(reverse, n.reverse)
		}
	}
	agree, clashes := false, false
	for _, n := range ns {
		if n.share < best-0.05 || n.reverse < 0.8*reverse {
			continue
		}
		// Nearly the same words: then also as many negations.
		if clash(b, n.of) || turned(b, []bag{n.of}) || n.share > 0.9 && n.reverse > 0.85 && b.negations != n.of.negations {
			clashes = true
		} else {
			agree = true
		}
	}
	return clashes && !agree
}

// clash compares the words that two sentences share: are they negated in one and not in the other?
func clash(a, b bag) bool {
	said := map[string][2]bool{} // affirmed, negated in b
	for _, t := range b.terms {
		if t.kind == knowledge.Char {
			continue
		}
		x := said[t.text]
		x[0], x[1] = x[0] || !t.negated, x[1] || t.negated
		said[t.text] = x
	}
	same, differ := 0, 0
	for _, t := range a.terms {
		x, ok := said[t.text]
		if !ok || t.kind == knowledge.Char {
			continue
		}
		switch {
		case t.negated && !x[1] || !t.negated && !x[0]:
			differ++
		default:
			same++
		}
	}
	negA, negB := count(a), count(b)
	return differ > 0 && (negA > 0) != (negB > 0) || differ >= 2 && differ > same
}

// count is how many words of a sentence are negated.
func count(b bag) int {
	n := 0
	for _, t := range b.terms {
		if t.negated && !strings.ContainsAny(t.text, "0123456789") {
			n++
		}
	}
	return n
}
