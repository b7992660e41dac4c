package knowledge

import "strings"

func wordSet(lists ...string) map[string]bool {
	m := map[string]bool{}
	for _, l := range lists {
		for _, w := range strings.Fields(l) {
			m[w] = true
		}
	}
	return m
}

// stopWords are English function words: they are never terms.
var stopWords = wordSet(`
a an the this that these those some any each every either neither both all
i me my mine myself we us our ours ourselves you your yours yourself yourselves
he him his himself she her hers herself it its itself they them their theirs themselves
who whom whose which what when where why how
am is are was were be been being do does did doing done have has had having
will would shall should can could may might must cannot ought
and or but nor so if then than because as while until though although whether
of at by for with about against between into through during before after above below
to from up down in out on off over under again further once here there
no not only own same such too very just also else ever even yet
don't doesn't didn't isn't aren't wasn't weren't won't wouldn't can't couldn't shouldn't
haven't hasn't hadn't mustn't i'm i'd i'll i've you're you'd you'll you've
he'd he'll she'd she'll it'd it'll we're we'd we'll we've they're they'd they'll they've
that'll that'd there'd let's who'd who'll dont doesnt didnt isnt cant wont im ive
`)

// softWords are words and stems by which people wrap a question without
// saying what it is about. They stay terms, because an article may be about
// them, but weigh little when an article is judged.
var softWords = wordSet(`
want wanna need get got getting go goe going know tell say said ask question pleas thank thanks
help like look find show give let make made take use try tri happen mean think
hello hi hey dear sir madam good bad day morn morning afternoon even evening
thing stuff way somebodi someon anyon anybodi peopl person someth anyth noth everyth
possibl abl allow much mani long often soon now today again exact actual realli
still alreadi right come start one two first new yes ok okay sure name call leave left
`)

// frames are Chinese expressions by which a question is asked; what is left
// when they are cut out is what it is about. Longer ones come first.
var frames = []string{
	"请问一下", "我想问一下", "我想问问", "想问一下", "想咨询一下", "我想咨询", "我想知道", "我想了解", "你好请问", "您好请问",
	"是不是", "能不能", "可不可以", "会不会", "有没有", "要不要", "该不该", "为什么", "怎么样", "怎么办", "怎么回事", "什么时候", "什么地方", "多长时间",
	"是什么", "有哪些", "有什么", "哪些人", "是否", "能否", "可否", "请问", "想问", "咨询", "您好", "你好", "谢谢", "麻烦",
	"怎么", "怎样", "如何", "什么", "哪里", "哪儿", "哪个", "哪些", "哪种", "多少", "多久", "几个", "应该", "可以", "需要",
	"我们", "你们", "他们", "我想", "我要", "一下", "吗", "呢", "吧", "啊", "呀", "哦", "么",
}

// softChars are Chinese function characters: a pair that holds one says
// little about the subject.
var softChars = wordSet(`的 了 是 在 和 与 或 及 有 我 你 您 他 她 它 这 那 就 都 而 对 把 被 从 到 个 也 又 还 很 要 能 会 该 请 问 何 谁 哪 几 让 给 去 来 说 想 为 以 于 之 其 所 等 则 若 如 且 并 但 不`)
