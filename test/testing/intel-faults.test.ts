import { describe, expect, it } from 'vitest'
import {
  type IntelFaultEntry,
  SGX_FAULTS,
  type SgxFault,
  type SgxMachineOptions,
  sgxMachine,
  TDX_FAULTS,
  type TdxFault,
  type TdxMachineOptions,
  tdxMachine,
} from '../../src/testing/intel/index.ts'
import { CATALOGUE } from '../reject/catalogue.ts'
import { type Holds, holdsOf } from './intel-walk.ts'

const SEED = 'intel faults'

/** Nothing can be said of the parts of a quote that does not come apart. */
const DECODE =
  'decodes keyType vendor padding certType quoteSignature qeSignature qeBinding qeTail chain chainTime chainUse ' +
  'sgxExtension tcbInfoMatch qeIdentityMatch platform module qeLevel body'
/** The same of a chain that cannot be read, or that has another certificate where the leaf belongs. */
const NO_LEAF = 'qeSignature chain chainTime chainUse sgxExtension tcbInfoMatch platform'
const NOT_THE_LEAF = 'qeSignature chain chainUse sgxExtension tcbInfoMatch platform'

/**
 * What a fault breaks, as the second reading sees it, and nothing else: every name belongs to exactly one line. Lines that
 * break more than one thing are those in which one cannot be had without the other.
 */
const BREAKS: readonly (readonly [broken: string, names: RegExp])[] = [
  [DECODE, /^quote-(empty|truncated-.*|noise|is-tdreport)$/],
  [DECODE, /^(version-.*|tee-type-.*|body-(type|size)-.*|body-short)$/],
  [DECODE, /^((auth|outer|qe-auth|certification)-length-.*|outer-type-5)$/],
  ['keyType', /^key-type-/],
  ['vendor', /^vendor-unknown$/],
  ['padding', /^quote-(trailing|padding)-/],
  ['certType', /^certification-type-[78]$/],
  [`certType ${NO_LEAF}`, /^certification-type-[12346]$/],
  [NO_LEAF, /^chain-(garbage|text-between|text-behind|bytes-behind-nul)$/],
  [NOT_THE_LEAF, /^chain-(reversed|reordered)$/],
  ['qeSignature chainUse sgxExtension tcbInfoMatch platform', /^chain-tcb-signer-as-pck$/],
  ['quoteSignature', /^(quote-signature-.*|header-tampered|attestation-key-off-curve)$/],
  ['quoteSignature body', /^(body-tampered|auth-of-another-quote)$/],
  ['quoteSignature qeBinding', /^attestation-key-tampered$/],
  ['qeBinding', /^(attestation-key-swapped|qe-auth-data-tampered)$/],
  ['qeTail', /^qe-report-data-tail$/],
  ['qeSignature', /^(qe-signature-.*|qe-report-tampered|chain-other-pck)$/],
  ['qeSignature qeLevel', /^qe-revoked-and-unsigned$/],
  ['qeSignature chainUse', /^pck-key-p384$/],
  ['chain', /^chain-(root-same-name|foreign-issuer|without-root|extra-certificate|duplicate|other-authority)$/],
  ['chain', /^((pck|issuer)-signature-tampered|pck-issuer-name|pck-signed-with-sha1)$/],
  ['chain chainUse', /^chain-(leaf-only|without-issuer|pck-as-authority)$/],
  ['chain tcbInfoSigner qeIdentitySigner rootCrl', /^chain-foreign-root$/],
  ['chainTime', /^(pck|issuer)-(expired|not-yet-valid)$/],
  ['chainTime tcbInfoSigner qeIdentitySigner', /^root-(expired|not-yet-valid)$/],
  ['chainUse', /^pck-(common-name|is-ca|no-digital-signature|unknown-critical-ext|duplicate-extension)$/],
  ['chainUse', /^(issuer-(not-ca|no-basic-constraints|no-cert-sign|unknown-critical-ext)|root-path-length-0)$/],
  ['sgxExtension', /^sgx-(no-ppid|no-type|ppid-short|type-.*|platform-instance-short|configuration-.*)$/],
  ['sgxExtension', /^sgx-(unknown-member|component-(17|256|negative|as-octets)|pcesvn-65536|no-cpusvn|cpusvn-short)$/],
  ['sgxExtension platform', /^sgx-no-(tcb|component|pcesvn)$/],
  ['sgxExtension tcbInfoMatch', /^sgx-(no-pceid|no-fmspc|pceid-long|fmspc-.*)$/],
  ['sgxExtension tcbInfoMatch platform', /^sgx-(extension|duplicate)-/],
  ...lists('rootCrl', 'root-crl'),
  ...lists('pckCrl', 'pck-crl'),
  ['pckCrl', /^(pck-revoked-list-stripped|pck-crl-(signed-by-pck|of-other-authority))$/],
  ['rootCrl pckCrl', /^crls-swapped$/],
  ['notRevoked', /^(pck|issuer|tcb-signer|root)-revoked$/],
  ...documents('tcbInfo', 'tcb-info', 'tcbInfoMatch platform module'),
  ...documents('qeIdentity', 'qe-identity', 'qeIdentityMatch qeLevel'),
  ['tcbInfoSignature', /^tcb-info-levels-edited$/],
  ['qeIdentitySignature', /^qe-forged$/],
  ['tcbInfoMatch', /^tcb-info-(fmspc|pceid)$/],
  ['tcbInfoMatch platform module', /^tcb-info-other-tee$/],
  ['tcbInfoForm tcbInfoMatch', /^tcb-info-(fmspc-short|id-unknown)$/],
  ['tcbInfoForm', /^tcb-info-(type-1|version-.*)$/],
  ['qeIdentityMatch', /^qe-(mrsigner|isvprodid|miscselect.*|attributes.*|debug)$/],
  ['qeIdentityMatch', /^qe-identity-(other-tee|mrsigner|isvprodid|miscselect|attributes)$/],
  ['qeIdentityForm qeIdentityMatch', /^qe-identity-(id-unknown|mask-short)$/],
  ['qeIdentityForm', /^(qe-identity-version-1|qe-level-svn-string)$/],
  ['qeIdentityForm qeLevel', /^qe-(levels-.*|level-svn-missing|level-status-unknown)$/],
  ['qeLevel', /^qe-(out-of-date|revoked|isvsvn-below-all)$/],
  [
    'tcbInfoForm platform',
    /^(levels-.*|level-(components-missing|svn-(256|negative|missing)|pcesvn-(missing|65536)|status-.*))$/,
  ],
  [
    'tcbInfoForm',
    /^level-(components-\d+|svn-(string|fraction)|pcesvn-string|date-.*|advisories-string|malformed-at-the-end)$/,
  ],
  ['tcbInfoForm', /^(tdx-(components-.*|svn-string|module-missing)|module-(identity-twice|level-svn-string))$/],
  ['tcbInfoForm module', /^module-(levels-empty|level-status-unknown)$/],
  ['module', /^module-(identities-.*|identity-(signer|attributes))$/],
  ['module body', /^(seam-.*|module-(out-of-date|revoked|below-all|unknown|relaunch-advised))$/],
  ['platform', /^platform-/],
  ['platform body', /^(tdx-late-microcode-.*|module-1\.0-below-all)$/],
  ['body', /^(td-.*|xfam-.*|report-data-.*|mrtd-other|rtmr\d-other|mr(config|owner|ownerconfig)(id)?-other)$/],
  ['body', /^(sgx-(debug|not-initialised|attribute-reserved|provision-key|einittoken-key|reserved-.*|kss-.*))$/],
  ['body', /^(mrenclave|mrsigner|isvprodid)-other$|^isvsvn-lower$/],
  // Only a policy can say that these are wrong.
  ['', /^((tcb-info|qe-identity)-evaluation-number-low|level-advisory)$/],
]

/** No list can be read in the first line; a version 1 list has no place for extensions. */
function lists(name: 'rootCrl' | 'pckCrl', prefix: string): readonly (readonly [string, RegExp])[] {
  return [
    [`${name} ${name}Time`, new RegExp(`^${prefix}-(missing|garbage|trailing-byte|no-next-update)$`)],
    [name, new RegExp(`^${prefix}-(version-1|signature-tampered|other-key|foreign|unknown-critical-ext|delta)$`)],
    [`${name}Time`, new RegExp(`^${prefix}-(expired|future)$`)],
  ]
}

/** `rests`: what cannot be said without the document. */
function documents(
  name: 'tcbInfo' | 'qeIdentity',
  prefix: string,
  rests: string,
): readonly (readonly [string, RegExp])[] {
  const of = (names: string) => new RegExp(`^${prefix}-(${names})$`)
  return [
    [`${name}Signer ${name}Signature ${name}Form ${name}Time ${rests}`, of('missing')],
    [`${name}Form ${name}Time ${rests}`, of('not-json|not-an-object')],
    [`${name}Form`, of('duplicate-key|date-malformed|evaluation-number-missing')],
    [`${name}Form ${name}Time`, of('no-next-update')],
    [`${name}Time`, of('expired|future')],
    [`${name}Signature`, of('signature-.*|signed-by-nobody|reordered')],
    [`${name}Signature ${name}Form`, of('reserialised|line-end-behind')],
    [`${name}Signer`, of('signed-by-(issuer|pck|pck-as-signer|foreign-signer)|signer-.*')],
    [`${name}Signer ${name}Signature`, of('chain-.*')],
  ]
}

const brokenIn = (holds: Holds): readonly string[] =>
  Object.entries(holds)
    .filter(([, value]) => !value)
    .map(([name]) => name)

const sorted = (names: readonly string[]): readonly string[] => [...names].sort()

/** Of an SGX machine, what only a TDX module or an enclave’s id decides is not broken. */
const forSgx = (broken: string, name: string): readonly string[] =>
  broken
    .split(' ')
    .filter((one) => one !== '' && (one !== 'module' || broken === DECODE) && !SGX_SPARES[name]?.includes(one))

const SGX_SPARES: Readonly<Record<string, readonly string[]>> = {
  // QVE belongs to SGX: the id alone is of the right TEE.
  'qe-identity-id-unknown': ['qeIdentityMatch'],
}

const lineOf = (name: string): string => {
  const lines = BREAKS.filter(([, names]) => names.test(name))
  if (lines.length !== 1) throw new TypeError(`${name} belongs to ${lines.length} lines`)
  return lines[0]?.[0] ?? ''
}

const tdxNeeds = ({ needs }: IntelFaultEntry): TdxMachineOptions =>
  needs?.version === 5 || needs?.body === 'td-1.5' ? { version: 5, body: 'td-1.5' } : {}
const sgxNeeds = ({ needs }: IntelFaultEntry): SgxMachineOptions =>
  needs?.version === undefined ? {} : { version: needs.version }

/** A part of the names a test, so that no test takes long. */
function inParts(names: readonly string[]): readonly (readonly [string, readonly string[]])[] {
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const [first = ''] = name.split('-')
    groups.set(first, [...(groups.get(first) ?? []), name])
  }
  return [...groups]
}

describe.each(inParts(Object.keys(TDX_FAULTS)))('TDX faults %s-…', (_, names) => {
  it(`break what they say, and nothing else (${names.length})`, () => {
    for (const name of names as readonly TdxFault[]) {
      const machine = tdxMachine(SEED, { wrong: name })
      expect(sorted(brokenIn(holdsOf(machine))), name).toEqual(sorted(lineOf(name).split(' ').filter(Boolean)))
    }
  })
})

/** SGX machines go wrong by the same changes: of every line of common faults the first, and all that are SGX's own. */
const SGX_NAMES = Object.keys(SGX_FAULTS).filter((name, i, all) => {
  const line = BREAKS.findIndex(([, names]) => names.test(name))
  return !(name in TDX_FAULTS) || all.findIndex((other) => BREAKS[line]?.[1].test(other)) === i
})

describe.each(inParts(SGX_NAMES))('SGX faults %s-…', (_, names) => {
  it(`break what they say, and nothing else (${names.length})`, () => {
    for (const name of names as readonly SgxFault[]) {
      const machine = sgxMachine(SEED, { wrong: name })
      expect(sorted(brokenIn(holdsOf(machine))), name).toEqual(sorted(forSgx(lineOf(name), name)))
    }
  })
})

describe('faults', () => {
  it('have twins in which everything holds', () => {
    const tdx = new Set(Object.values(TDX_FAULTS).map((entry) => JSON.stringify(tdxNeeds(entry))))
    for (const needs of tdx) expect(brokenIn(holdsOf(tdxMachine(SEED, JSON.parse(needs)))), needs).toEqual([])
    const sgx = new Set(Object.values(SGX_FAULTS).map((entry) => JSON.stringify(sgxNeeds(entry))))
    for (const needs of sgx) expect(brokenIn(holdsOf(sgxMachine(SEED, JSON.parse(needs)))), needs).toEqual([])
  })

  it('refuse options that contradict what they need', () => {
    expect(() => tdxMachine(SEED, { version: 4, wrong: 'td-service-td' })).toThrow(TypeError)
    expect(() => tdxMachine(SEED, { version: 5, body: 'td-1.0', wrong: 'td-service-td' })).toThrow(TypeError)
    expect(() => tdxMachine(SEED, { version: 4, wrong: 'body-type-9' })).toThrow(TypeError)
    expect(() => sgxMachine(SEED, { version: 3, wrong: 'outer-type-5' })).toThrow(TypeError)
  })

  it('say in different words what they are', () => {
    for (const table of [TDX_FAULTS, SGX_FAULTS]) {
      const words = Object.values(table).map(({ what }) => what)
      expect(words.filter((what, i) => words.indexOf(what) !== i)).toEqual([])
    }
  })

  it('name rows of the catalogue', () => {
    const ours: ReadonlySet<string> = new Set(CATALOGUE.map(({ id }) => id))
    const rows = new Set([...Object.values(TDX_FAULTS), ...Object.values(SGX_FAULTS)].flatMap((entry) => entry.rows))
    expect([...rows].filter((row) => !ours.has(row))).toEqual([])
  })

  it('cover every row that a machine alone can be wrong in', () => {
    const covered = new Set([...Object.values(TDX_FAULTS), ...Object.values(SGX_FAULTS)].flatMap((entry) => entry.rows))
    const all = [
      ...Array.from({ length: 36 }, (_, i) => `RJ-TDX-${String(i + 1).padStart(2, '0')}`),
      ...['RJ-SGX-01', 'RJ-SGX-02', 'RJ-SGX-03', 'RJ-SGX-04'],
    ]
    // A deny-list is the policy's, and an event log is another file.
    expect(all.filter((row) => !covered.has(row))).toEqual(['RJ-TDX-31', 'RJ-TDX-34'])
  })
})
