#!/usr/bin/env python3
r"""formulas.py -- formulas of the code, translated from its text and proved for all inputs.

prove: bits
property: the bit formulas keep their promises for every 64-bit input
room: bits
method: SMT, from the C text
bound: all 2^64 inputs; all 64 powers of two as the unit
control: bits.h | s/\(x \+ unit - 1\)/(x + unit)/ | round_up adds the whole unit
control: bits.h | s/return 63 - \(unsigned\)__builtin_clzll\(x\);/return 64 - (unsigned)__builtin_clzll(x);/ | floor_log2 one too large
control: bits.h | s/floor_log2\(x - 1\) \+ 1;/floor_log2(x) + 1;/ | ceil_log2 wrong for powers of two

prove: class-formula
property: sizeclass_quarter names the smallest size of four a doubling that holds the request, and sizeclass_of counts the sizes between
room: sizeclass
method: SMT, from the C text
bound: all sizes from 129 to 2^63
control: sizeclass.h | s/POW2\(k - 2\)\) - 23/POW2(k - 2)) - 22/ | every class one too large
control: sizeclass.h | s/\(size - 1\) \/ POW2\(k - 2\)/size \/ POW2(k - 2)/ | size for size - 1

prove: decay-weight
property: a weight lies in 0 .. 2^30, never rises, and is 0 from age 64 on
room: decay
method: SMT, from the C text
bound: all 2^64 ages
control: decay.h | s/age < DECAY_STEPS \? age : DECAY_STEPS/age < DECAY_STEPS + 8 ? age : DECAY_STEPS/ | ages above 64 are not cut off
control: decay.h | s/10 \* 64 \* 64/10 * 64 * 65/ | a wrong coefficient

The translator knows as much C as these functions need: unsigned arithmetic, casts, ?:,
declarations with a value, "if (...) return", "return".  That it translates rightly is not
taken on trust: each function is also compiled by the C compiler, and the formula must
give what that gives for random numbers and for the neighbourhood of each power of two.
"""
import os
import random
import re
import subprocess
import sys

TOKEN = re.compile(r"\s*(UINT64_C|0x[0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|~^<>?:!()])")
LEVELS = [["||"], ["&&"], ["|"], ["^"], ["&"], ["==", "!="], ["<", ">", "<=", ">="],
          ["<<", ">>"], ["+", "-"], ["*", "/", "%"]]
NAMES = {"+": "bvadd", "-": "bvsub", "*": "bvmul", "/": "bvudiv", "%": "bvurem", "&": "bvand",
         "|": "bvor", "^": "bvxor", "<<": "bvshl", ">>": "bvlshr"}
TESTS = {"<": "bvult", "<=": "bvule", ">": "bvugt", ">=": "bvuge"}
CASTS = {"unsigned": 32, "uint32_t": 32, "uint64_t": 64, "uintptr_t": 64, "size_t": 64}
CONSTANTS = {"QUANTUM": 16, "DECAY_STEPS": 64}


def number(n):
    return f"(_ bv{n} 64)"


def to_bool(term):
    return f"(distinct {term} {number(0)})"


def of_bool(test):
    return f"(ite {test} {number(1)} {number(0)})"


def narrow(term, bits):
    return term if bits == 64 else f"((_ zero_extend {64 - bits}) ((_ extract {bits - 1} 0) {term}))"


class Expression:
    """A recursive descent through the tokens of one C expression."""

    def __init__(self, text):
        self.tokens, at = [], 0
        text = text.strip()
        while at < len(text):
            m = TOKEN.match(text, at)
            if not m:
                sys.exit(f"formulas: cannot read '{text[at:]}'")
            self.tokens.append(m.group(1))
            at = m.end()
        self.at = 0

    def peek(self, ahead=0):
        at = self.at + ahead
        return self.tokens[at] if at < len(self.tokens) else None

    def take(self, expected=None):
        token = self.peek()
        if expected and token != expected:
            sys.exit(f"formulas: '{expected}' expected, not '{token}'")
        self.at += 1
        return token

    def whole(self):
        term = self.choice()
        if self.peek() is not None:
            sys.exit(f"formulas: '{self.peek()}' is left over")
        return term

    def choice(self):
        test = self.binary(0)
        if self.peek() != "?":
            return test
        self.take("?")
        yes = self.choice()
        self.take(":")
        return f"(ite {to_bool(test)} {yes} {self.choice()})"

    def binary(self, level):
        if level == len(LEVELS):
            return self.unary()
        left = self.binary(level + 1)
        while self.peek() in LEVELS[level]:
            op = self.take()
            right = self.binary(level + 1)
            if op in NAMES:
                left = f"({NAMES[op]} {left} {right})"
            elif op in TESTS:
                left = of_bool(f"({TESTS[op]} {left} {right})")
            elif op in ("==", "!="):
                left = of_bool(f"({'=' if op == '==' else 'distinct'} {left} {right})")
            else:
                left = of_bool(f"({'and' if op == '&&' else 'or'} {to_bool(left)} {to_bool(right)})")
        return left

    def unary(self):
        if self.peek() == "~":
            self.take()
            return f"(bvnot {self.unary()})"
        if self.peek() == "!":
            self.take()
            return of_bool(f"(not {to_bool(self.unary())})")
        if self.peek() == "(" and self.peek(1) in CASTS and self.peek(2) == ")":
            self.take()
            bits = CASTS[self.take()]
            self.take(")")
            return narrow(self.unary(), bits)
        if self.peek() == "(":
            self.take()
            term = self.choice()
            self.take(")")
            return term
        token = self.take()
        if token[0].isdigit():
            return number(int(token, 0))
        if self.peek() != "(":
            return number(CONSTANTS[token]) if token in CONSTANTS else token
        self.take("(")
        term = self.choice()
        self.take(")")
        return {"POW2": f"(bvshl {number(1)} {term})", "UINT64_C": term,
                "__builtin_clzll": f"(clz {term})"}.get(token, f"({token} {term})")


def translate(code, file, name):
    """The SMT-LIB definition of an inline function, and its parameters."""
    with open(os.path.join(code, file), encoding="utf-8") as f:
        text = f.read()
    m = re.search(rf"^INLINE (\w+) {name}\(([^)]*)\)\n{{\n(.*?)^}}", text, re.M | re.S)
    if not m:
        sys.exit(f"formulas: there is no {name} in {file}")
    kind, parameters, body = m.groups()
    names = [p.split()[-1] for p in parameters.split(",")]
    widths = [CASTS[p.split()[-2]] for p in parameters.split(",")]
    closing, term = "", ""
    for statement in re.sub(r"\s+", " ", body).strip().rstrip(";").split(";"):
        statement = statement.strip()
        early = re.match(r"if \((.*)\) return (.*)$", statement)
        let = re.match(r"(unsigned|uint64_t|size_t) (\w+) = (.*)$", statement)
        if early:
            term += f"(ite {to_bool(Expression(early[1]).whole())} {Expression(early[2]).whole()} "
            closing += ")"
        elif let:
            value = narrow(Expression(let[3]).whole(), CASTS[let[1]])
            term += f"(let (({let[2]} {value})) "
            closing += ")"
        elif statement.startswith("return "):
            term += Expression(statement[7:]).whole()
        else:
            sys.exit(f"formulas: cannot translate '{statement}'")
    result = narrow(term + closing, CASTS.get(kind, 64))
    arguments = " ".join(f"({n} (_ BitVec 64))" for n in names)
    return f"(define-fun {name} ({arguments}) (_ BitVec 64) {result})\n", widths


def clz():
    """Leading zeros, by halves."""
    term, text = "x", ""
    for i, half in enumerate((32, 16, 8, 4, 2, 1)):
        text += (f"(let ((z{i} (= ((_ extract 63 {64 - half}) {term}) (_ bv0 {half})))) "
                 f"(let ((x{i} (ite z{i} (bvshl {term} {number(half)}) {term}))) ")
        term = f"x{i}"
    total = number(0)
    for i, half in enumerate((32, 16, 8, 4, 2, 1)):
        total = f"(bvadd {total} (ite z{i} {number(half)} {number(0)}))"
    return f"(define-fun clz ((x (_ BitVec 64))) (_ BitVec 64) {text}{total}{')' * 12})\n"


def z3(text):
    done = subprocess.run(["z3", "-in", "-T:200"], input="(set-logic QF_BV)\n" + text,
                          capture_output=True, text=True, check=False)
    return done.stdout.strip()


def samples(limit, count):
    near = {(1 << k) + d for k in range(64) for d in (-2, -1, 0, 1, 2)}
    near = sorted(n for n in near if 0 <= n < 1 << 64)
    picked = near + [random.getrandbits(random.randrange(1, 65)) for _ in range(count)]
    return [n for n in picked if limit(n)]


def compare(code, definitions, functions, count):
    """The formulas against the compiler, on samples: how many."""
    lines, calls = "", []
    for file, name, widths, limit in functions:
        for x in samples(limit, count):
            arguments = [x]
            if len(widths) == 2:
                arguments.append(1 << random.randrange(64))
            calls.append((name, arguments))
            lines += ('    printf("%llu\\n", (unsigned long long)' + name + "("
                      + ", ".join(f"{a}u" if a < 1 << 31 else f"{a}ull" for a in arguments) + "));\n")
    source = "".join(f'#include "{f}"\n' for f in sorted({f[0] for f in functions}))
    source += "#include <stdio.h>\nint main(void)\n{\n" + lines + "    return 0;\n}\n"
    with open("compare.c", "w", encoding="utf-8") as f:
        f.write(source)
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu17", "-O0", "-w", "-iquote", code, "compare.c",
                    "-o", "compare"], check=True)
    answers = subprocess.run(["./compare"], capture_output=True, text=True, check=True).stdout.split()
    wrong = " ".join(f"(distinct ({name} {' '.join(map(number, a))}) {number(r)})"
                     for (name, a), r in zip(calls, answers))
    answer = z3(clz() + definitions + f"(assert (or {wrong}))\n(check-sat)\n")
    if answer != "unsat":
        sys.exit(f"formulas: the formula is not what the compiler made of it: {answer}")
    return len(calls)


# What is claimed: name, functions with their files and domains, and statements over x, all
# of which must hold.  e.pow(j) is a power of two; a statement is SMT-LIB text.
ANY = lambda n: True
BITS = [("bits.h", "is_pow2", ANY), ("bits.h", "round_down", ANY), ("bits.h", "round_up", ANY),
        ("bits.h", "floor_log2", lambda n: n > 0), ("bits.h", "ceil_log2", lambda n: n > 0),
        ("bits.h", "bits_from", lambda n: n < 64), ("bits.h", "bits_below", lambda n: n < 1 << 32)]
ONE, ZERO = number(1), number(0)
UNIT = f"(bvshl {ONE} j)"
IN64 = f"(bvult j {number(64)})"
CLAIMS = {
    "bits": (BITS, [
        ("a power of two is a power of two", f"(=> {IN64} (= (is_pow2 {UNIT}) {ONE}))"),
        ("nothing else is", f"(=> (= (is_pow2 x) {ONE}) (= x (bvshl {ONE} (floor_log2 x))))"),
        ("round_down is a multiple, not above, less than a unit below",
         f"(=> {IN64} (let ((r (round_down x {UNIT}))) (and (bvule r x) (bvult (bvsub x r) {UNIT}) "
         f"(= (bvand r (bvsub {UNIT} {ONE})) {ZERO}))))"),
        ("round_up is a multiple, not below, less than a unit above",
         f"(=> (and {IN64} (bvule x (bvneg {UNIT}))) (let ((r (round_up x {UNIT}))) "
         f"(and (or (bvuge r x) (= x {ZERO})) (bvult (bvsub r x) {UNIT}) (= (bvand r (bvsub {UNIT} {ONE})) {ZERO}))))"),
        ("floor_log2", f"(=> (distinct x {ZERO}) (and (bvule (floor_log2 x) {number(63)}) "
         f"(= (bvlshr x (floor_log2 x)) {ONE})))"),
        ("ceil_log2", f"(=> (and (distinct x {ZERO}) (bvule x {number(1 << 63)})) "
         f"(let ((c (ceil_log2 x))) (and (bvule x (bvshl {ONE} c)) "
         f"(or (= c {ZERO}) (bvugt x (bvshl {ONE} (bvsub c {ONE})))))))"),
        ("bits_from: bit i is set if i is not below x",
         f"(=> (and {IN64} (bvult x {number(64)})) (= (= (bvand (bvlshr (bits_from x) j) {ONE}) {ONE}) (bvuge j x)))"),
        ("bits_below: bit i is set if i is below x",
         f"(=> (and {IN64} (bvult x {number(1 << 32)})) (= (= (bvand (bvlshr (bits_below x) j) {ONE}) {ONE}) (bvult j x)))"),
    ]),
    "class-formula": ([("bits.h", "floor_log2", lambda n: n > 0),
                       ("sizeclass.h", "sizeclass_quarter", lambda n: 0 <= n <= 1 << 63),
                       ("sizeclass.h", "sizeclass_of", lambda n: 0 <= n <= 1 << 63)], [
        ("the class holds the request and the one below does not",
         f"(=> (and (bvugt x {number(128)}) (bvule x {number(1 << 63)})) "
         f"(let ((e (bvadd {number(5)} (bvudiv (bvsub (sizeclass_quarter x) {number(9)}) {number(4)}))) "
         f"(m (bvadd {number(5)} (bvurem (bvsub (sizeclass_quarter x) {number(9)}) {number(4)})))) "
         f"(and (bvuge (sizeclass_quarter x) {number(9)}) (bvule (sizeclass_quarter x) {number(232)}) (bvuge (bvshl m e) x) "
         f"(bvult (bvshl (bvsub m {ONE}) e) x))))"),
        ("below, sixteen bytes a class",
         f"(=> (and (bvule x {number(128)}) (distinct x {ZERO})) (and (bvuge (bvmul {number(16)} (sizeclass_quarter x)) x) "
         f"(bvult (bvmul {number(16)} (bvsub (sizeclass_quarter x) {ONE})) x)))"),
        ("one class more for each size between that is too small",
         f"(= (sizeclass_of x) (bvadd (sizeclass_quarter x) {' '.join(of_bool(f'(bvugt x {number(n)})') for n in (1152, 2304, 4608, 9216))}))"),
    ]),
    "decay-weight": ([("decay.h", "decay_weight", ANY)], [
        ("at most 2^30", f"(bvule (decay_weight x) {number(1 << 30)})"),
        ("never rises", f"(=> (distinct x {number(2**64 - 1)}) (bvule (decay_weight (bvadd x {ONE})) (decay_weight x)))"),
        ("0 from 64 on", f"(=> (bvuge x {number(64)}) (= (decay_weight x) {ZERO}))"),
        ("half and half", f"(=> (bvule x {number(64)}) (= (bvadd (decay_weight x) (decay_weight (bvsub {number(64)} x))) "
         f"{number(1 << 30)}))"),
    ]),
}


def main():
    name, code = sys.argv[1], sys.argv[2]
    os.chdir(os.path.dirname(code))
    random.seed(int(os.environ.get("SEED", "2026")))
    functions, claims = CLAIMS[name]
    definitions, tried = "", []
    for file, function, limit in functions:
        text, widths = translate(code, file, function)
        definitions += text
        tried.append((file, function, widths, limit))
    with open("formulas.smt2", "w", encoding="utf-8") as f:
        f.write(clz() + definitions)
    count = compare(code, definitions, tried, 300 if "-DQUICK" in sys.argv else 3000)
    variables = "(declare-const x (_ BitVec 64))\n(declare-const j (_ BitVec 64))\n"
    for words, claim in claims:
        answer = z3(clz() + definitions + variables + f"(assert (not {claim}))\n(check-sat)\n(get-value (x j))\n")
        first = answer.split("\n")[0]
        if first == "sat":
            print(f"violated: {words}: {' '.join(answer.split()[1:])}")
            sys.exit(1)
        if first != "unsat":
            sys.exit(f"formulas: z3 says '{first}' to '{words}'")
        print(f"unsat: {words}")
    print(f"samples {count}\ncases {len(claims)}")


if __name__ == "__main__":
    main()
