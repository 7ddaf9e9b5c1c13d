// Writes corpus.json: what V8 answers for every pattern on every text.
// Run: node tests/data/regex/generate.mjs (Node 24). Add patterns here, never to corpus.json.
import { writeFileSync } from 'node:fs';

const s = String.raw;

const texts = [
  '', 'a', 'b', 'A', 'ab', 'aab', 'aba', 'abab', 'aaaa', 'cab', 'yes', 'YES please', 'no', 'back', 'Back!', 'go back',
  '뒤', '뒤로', '뒤로가기', '처음으로', '예', '아니요', '안녕하세요', '안녕하세요 반가워요', '가나다', '힣', 'ㄱㄴㄷ', 'ㅋㅋㅋ', 'ㅏ',
  '스킵(drop)', '1번', '2번 주세요', '주문 3개', '가격은 12,000원', '배송 조회', '배송조회 해줘', '환불할래요', '환불  문의',
  '010-1234-5678', '01012345678', '02-123-4567', '010 1234 5678', '+82-10-1234-5678', '900101-1234567', '1588-1588',
  '123-45-67890', '2024-02-30', '2024.2.3', '24:00', '9:05', '12345', '-3', '3.14', '1e5', '007', '٣', '３', '1,234,567',
  'hong@example.com', 'hong.gil+dong@example.co.kr', 'hong@', 'https://example.com/a?b=c#d', 'http://example.com', 'ftp://x',
  '홍길동', '남궁민수', 'Hong Gil-dong', 'ABC-1234', 'abc_1', '#태그', '@mention', '<b>', '{"a":1}', '[x]', 'a[b]', 'a{2}', 'a{,2}',
  '\n', 'a\n', '\na', 'a\nb', 'a\r\nb', 'a\u2028b', 'yes\n', '\t', ' ', '  a  ', '\u00a0', '\u3000', '\ufeff', '\u180e', '\u200b',
  '😀', 'a😀b', '😀😀', '👍🏽', '👨‍👩‍👧', '\ud83d', '\ude00', '𝒳', '❤️', '™',
  'ß', 'ẞ', 'SS', 'ſ', 's', 'S', 'k', 'K', '\u212a', 'i', 'I', 'İ', 'ı', 'é', 'É', 'e\u0301', 'Ω', 'ω', '\u2126', 'ς', 'σ', 'Σ', 'ǆ', 'ǅ', 'Ǆ',
  'µ', 'μ', 'Ж', 'ж', 'ａ', 'Ａ', '\u0000', '\u0001', '\u0002', '\u0008', '\u001f', '\\', '\\c', '\\d', '/', '-', '^', '$', '.', '|', ',', '&&', '--', '~',
  'u', 'u'.repeat(61), 'x', 'k', 'k<n>', 'p{L}', 'ca', 'cA', '8', '18', 'aa', 'bb', 'abba', 'a-z', 'aXbXa', 'foobar', 'foobaz', 'barfoo',
];

const patterns = [
  // What chat bots ask for
  '뒤|back', s`^(예|네|응|ㅇㅇ)$`, '/^(yes|y)$/i', '/back/i', '/BACK/i', '[가-힣]+', '^[가-힣]+$', '^[가-힣]{2,4}$', '[ㄱ-ㅎㅏ-ㅣ가-힣]', 'ㅋ{2,}',
  s`^01[016789]-?\d{3,4}-?\d{4}$`, s`/^(\+?82-?10|010)-?\d{4}-?\d{4}$/`, s`^(?:\+82|0)1[0-9][ -]?\d{3,4}[ -]?\d{4}$`, s`^\d{6}-[1-4]\d{6}$`,
  s`^\d{3}-\d{2}-\d{5}$`, s`^\d+$`, s`\d+번`, s`^(\d+)번?`, s`[0-9]{1,3}(,[0-9]{3})*원`, s`^-?\d+(\.\d+)?$`, s`^\d{1,3}(,\d{3})+$`,
  s`^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$`, s`/^[^\s@]+@[^\s@]+\.[^\s@]+$/`, s`/^https?:\/\/\S+$/i`, s`https?://[^\s/$.?#].[^\s]*`,
  s`^(19|20)\d{2}[-./](0?[1-9]|1[0-2])[-./](0?[1-9]|[12]\d|3[01])$`, s`^([01]?\d|2[0-3]):[0-5]\d$`, '환불|취소|교환', s`배송\s*조회`, '^안녕', '해줘$',
  s`^(?!.*환불).*문의`, s`^(?=.*[a-z])(?=.*\d).+$`, s`\(drop\)`, '스킵(drop)', '^.{2,5}$', s`^\s*$`, s`\S`, s`^\S+$`, s`^\W+$`, s`^\w+$`, s`/^[a-z]+-\d+$/i`,
  '(홍|김|이)[가-힣]{1,2}', '^#', '^@[a-z]+', '처음(으로)?', '[^가-힣]', '^[^0-9]+$', '안녕.*반가', '.', '^.$', '^..$', '', '^$', '//', '/a/', '/a/g', '/a/y', '/b/y', '/A/gi', '/a/d',
  // Lines and the dot
  'a$', '^a', '/a$/m', '/^a/m', '/^b/m', '/^$/m', 'a.b', '/a.b/s', s`a\nb`, s`a[^]b`, s`a[\s\S]b`, 'yes$', s`/\s$/m`, '/^.$/m', s`^[^\n]*$`,
  // Letters, digits, space, word edges
  s`\d`, s`\D`, s`\w`, s`\W`, s`\s`, s`[\s]`, s`[^\s]`, s`[^\S]`, s`[\S]`, s`[\d-]`, s`[\w.]+@`, s`\b`, s`\B`, s`\ba`, s`a\b`, s`\b가`, s`가\b`, s`\B가`, s`\bback\b`, s`\b[가-힣]`, s`[\b]`,
  s`[^\W]`, s`[\W_]`, s`[\d\D]`, s`[^\d\D]`,
  // Groups, references, looking around
  s`^(a\1)+$`, s`^(?:\1(a))+$`, s`(a)\1`, s`(a)|b\1`, s`\1(a)`, s`(a\1)`, s`(?:(a)|b)\1`, s`(a)?b\1`, s`(?<n>a)\k<n>`, s`(?<n>a)|\k<n>b`, s`\k<n>(?<n>b)`, s`\k<n>`, s`\k`, s`(?<a>.)(?<b>.)\k<b>\k<a>`,
  s`(?<y>\d{4})-(?<m>\d\d)`, '(?<이름>[가-힣]{3})', s`(?<$>a)\k<$>`, s`(?:(?<n>a)|(?<n>b))\k<n>`, '(?<n>a)(?<n>b)', s`(?<n>a)\k<m>`, s`(?<n>a)\k`,
  'foo(?=bar)', 'foo(?!bar)', '(?<=foo)bar', '(?<!foo)bar', s`(?<=\d{1,3})번`, '(?<=a+)b', s`(?<=(a))b\1`, s`(?<=\1(a))b`, s`(?<=([ab]+)([bc]+))$`, s`(?!(a))\1b`, s`(?=(a))\1`, '(?=a)*b', '(?!a)?b', '(?=a){2}a', '(?<=a)*b',
  '(?:a|ab)(?:c|b)', '(a*)*b', '(a|ab)*?b$', '(?:)', '()', '(|a)b', 'a||b', '(a*?)+?b', '(?:a?)*?b', '(?:a*)+$', s`^(?:(a)|(b))*$`, '((((a))))', s`(a)(b)(a)?\3`, s`(aa|a)\1$`,
  // Escapes
  s`\x61`, s`\x6`, s`\u0061`, s`\u{61}`, s`/\u{61}/u`, s`\u006`, s`\uac00`, s`[\uac00-\ud7a3]`, s`[\uAC00-\uD7A3]+`, s`\0`, s`\01`, s`\1`, s`\2`, s`\8`, s`\18`, s`\08`, s`\141`, s`\400`, s`[\1]`, s`[\8]`, s`[\0-\x1f]`, s`\10`, s`(a)\10`, s`(a)\2`,
  s`\cA`, s`\ca`, s`\c`, s`\c1`, s`[\c1]`, s`[\c_]`, s`[\c]`, s`[\cA]`, s`[\c*]`, s`\a`, s`\e`, s`\z`, s`\A`, s`\Z`, s`\Q`, s`\h`, s`\R`, s`\X`, s`\K`, s`\N`, s`\G`, s`\m`, s`\p{L}`, s`\-`, s`\_`, s`\/`, s`\@`, s`\ `, s`\가`, s`[\-]`, s`[\^]`, s`[\]]`, s`[\\]`, s`[\B]`, s`\t`, s`\v`, s`\f`,
  // Classes
  '[]', '[^]', '[]a', '[^]a', '[a-]', '[-a]', '[a-c-e]', s`[\w-z]`, s`[a-\d]`, '[z-a]', '[[]', '[[a]', '[[a]]', '[a[b]]', '[&&]', '[a&&b]', '[a--b]', '[~~]', '[a||b]', '[[:alpha:]]', '[^^]', '[.]', '[$]', '[|]', '[(]', '[*]', ']', 'a]', '[', '[a', '[a-', '[^', '[+--]', '[!-~]', '[*]+', '[]*a', '[^]*b',
  // Braces and repeats
  '{', '}', 'a{', 'a}', 'a{}', 'a{,2}', 'a{2', 'a{2}', 'a{2,}', 'a{2,3}', 'a{2}?', 'a{0}', 'a{0,0}b', '(a){0}b', s`(a){0}\1b`, 'a{b}', '{a}', '{1}', 'a{3,2}', 'x{2}{3}', 'a{e<=1}', 'a{99999}', 'a{0,99999}', 'a{2,99999999999}', 'a{ 2}', '^{"', s`^\{.*\}$`, 'a{,}', '(?:a{1,2}){2}',
  '*', '+a', '?', 'a**', 'a++', 'a+?', 'a*?', 'a??', 'a???', 'a?+', '(*a)', '(?a)', '(', ')', 'a)', '(a', '(?', '(?:', '(?<', '(?<a', '(?<>a)', '(?<1>a)', '(?P<n>a)', '(?#a)', '(?>a)', '(?i)a', '(?|a)', '(?(1)a)', '|', 'a|', '|a', '^*', '$+', s`\b+`, '^^a', 'a$$', '$a', 'a^', '\\', 'a\\', '#', ' a', 'a b', '(?:^|b)a', 'a(?:$|b)',
  // Letter case
  '/é/i', '/ß/i', '/ss/i', '/ẞ/i', '/s/i', '/ſ/i', '/k/i', '/\u212a/i', '/i/i', '/I/i', '/İ/i', '/ı/i', '/ω/i', '/\u2126/i', '/σ/i', '/ς/i', '/ǆ/i', '/ǅ/i', '/µ/i', '/ж/i', '/Ａ/i', '/가/i', '/[a-z]/i', '/[^a-z]/i', '/[A-Z]+$/i', '/[à-ÿ]/i', '/[k-ż]/i', '/[α-ω]/i', s`/\w/i`, s`/\W/i`, s`/[^\W]/i`, s`/(a)\1/i`, s`/\x41/i`, s`/[\x41-\x43]/i`, '/[_-a]/i', '/[Z-a]/i', s`/\bA/i`, '/[^é]/i', s`/(é)\1/i`,
  '/é/iu', '/ß/iu', '/ẞ/iu', '/s/iu', '/ſ/iu', '/k/iu', '/\u212a/iu', '/i/iu', '/İ/iu', '/ı/iu', '/\u2126/iu', '/ς/iu', '/ǆ/iu', '/[a-z]/iu', '/[^a-z]/iu', s`/\w/iu`, s`/\W/iu`, s`/[^\w]/iu`, s`/\b/iu`, '/µ/iu',
  // Outside the Basic Multilingual Plane
  '😀', '^😀$', '[😀]', '^[😀]$', '[😀-😎]', '/[😀-😎]/u', '/^[😀]$/u', '/^.$/u', '/^..$/u', '😀+', '^😀+$', '/^😀+$/u', '/😀{2}/u', s`\ud83d`, s`\ud83d\ude00`, s`^\ud83d`, s`\ude00$`, s`[\ud800-\udbff][\udc00-\udfff]`, s`/\ud83d\ude00/u`, s`/\u{1f600}/u`, s`/[\u{1f600}-\u{1f64f}]/u`, s`[^a]`, '/[^a]/u', '^[^a]{2}$', '/👍./u', '❤️', '^.{1,2}$', '𝒳', '/𝒳/i', '/𝒳/iu',
  // With u
  '/a{/u', '/}/u', '/]/u', '/[/u', s`/\-/u`, s`/[\-]/u`, s`/\a/u`, s`/\//u`, s`/\1/u`, s`/(a)\1/u`, s`/\0/u`, s`/\01/u`, s`/\c/u`, s`/\cA/u`, s`/\x6/u`, s`/\u{110000}/u`, s`/\k<n>/u`, s`/(?<n>a)\k<n>/u`, '/(?=a)*b/u', s`/[\w-a]/u`, s`/\d/u`, s`/\s/u`, s`/^\w+$/u`, s`/\b가/u`, '/[가-힣]+/u', '/{1}/u', s`/[\c1]/u`, s`/\p/u`,
  s`/\p{L}/u`, s`/\P{L}/u`, s`/[\p{L}\d]/u`, s`/^\p{L}+$/u`, s`/\p{Script=Hangul}/u`, s`/\p{sc=Hangul}+/u`, s`/\p{scx=Hangul}/u`, s`/\p{Hangul}/u`, s`/\p{Lu}/u`, s`/\p{Letter}/u`, s`/\p{gc=Lu}/u`, s`/\p{General_Category=Nd}/u`, s`/\p{N}/u`, s`/\p{P}/u`, s`/\p{Alphabetic}/u`, s`/\p{Emoji}/u`, s`/\p{Emoji_Presentation}/u`, s`/\p{Extended_Pictographic}/u`, s`/\p{White_Space}/u`, s`/\p{ASCII}/u`, s`/\p{Any}/u`, s`/\p{Nope}/u`, s`/[^\p{L}]/u`, s`/\p{L}/iu`,
  // Literals and flags
  '/a', 'a/', '/a/b', '/a/ii', '/a/x', '/a/I', '/a b/', s`/\//`, '/a/b/', '/[/]/', '/a/gimsuyd', '/ a/', '/뒤|back/', '/^뒤/g',
];

// Differences that are meant: listed in javascript_regex.py.
const different = {
  [s`^(?:(a)|b)*\1$`]: 'JavaScript forgets captures at each repetition',
  [s`/\B/u`]: 'V8 matches between the two units of a character, the specification does not',
  '/a/v': 'the flag v is refused',
  '(?i:a)': 'modifiers are refused',
  [s`(?<\u0061>a)`]: 'escapes inside group names are refused',
  [s`/\p{Lu}/iu`]: 'cased properties are refused with the flag i',
};

/** As the platform reads an operand: `/pattern/flags` or a bare pattern. */
function answers(source) {
  const literal = /^\/(.*)\/([A-Za-z]*)$/s.exec(source);
  try {
    const [pattern, flags] = literal ? [literal[1], literal[2]] : [source, ''];
    new RegExp(pattern, flags);
    return texts.map((text) => (new RegExp(pattern, flags).test(text) ? '1' : '0')).join('');
  } catch {
    return null;
  }
}

const ask = (list) => [...new Set(list)].map((source) => [source, answers(source)]);
const corpus = { v8: process.versions.v8, texts, patterns: ask(patterns), different: ask(Object.keys(different)) };
const lines = (rows) => `[\n${rows.map((row) => `    ${ascii(row)}`).join(',\n')}\n  ]`;
const ascii = (value) => JSON.stringify(value).replace(/[^\x20-\x7e가-힣]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
writeFileSync(
  new URL('corpus.json', import.meta.url),
  `{\n  "v8": ${ascii(corpus.v8)},\n  "texts": ${lines(texts)},\n  "patterns": ${lines(corpus.patterns)},\n  "different": ${lines(corpus.different)}\n}\n`,
);
