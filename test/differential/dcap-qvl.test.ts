import { constants, QuoteVerifier } from '@phala/dcap-qvl'
import { expect, it } from 'vitest'
import { isCpuClaims } from '../../src/attestation/claims.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { createVerificationCache, NO_COLLATERAL, type Policy, parsePolicy, verify } from '../../src/index.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { describeEvidence, evidence, evidenceJson, hasEvidence } from '../support/evidence.ts'
import { DISAGREEMENTS, NOTHING_TO_EVALUATE } from './dcap-qvl-disagreements.ts'

interface Row {
  readonly id: string
  readonly area: string
  readonly path: string
  readonly kind: string
  readonly expect: string
}

interface Case {
  readonly name?: string
  readonly verificationTime?: number
}

const SYNTHETIC = 'intel/synthetic'
/** Of cases that state no time, all of them without collateral: when the youngest certificate among them was in date. */
const UNSTATED = 1785542400

/** What a verifier says of a case: what it calls the platform, or why it takes nothing from the quote. */
type Answer =
  | { readonly accepted: true; readonly status: string; readonly advisoryIds: readonly string[] }
  | { readonly accepted: false; readonly because: string }

/** Of the private hierarchy of the synthetic cases; undefined where the pinned root is to be used. */
const rootOf = (row: Row): Uint8Array | undefined =>
  row.kind === 'synthetic' ? evidence(`${SYNTHETIC}/_pki/root_ca.der`) : undefined

function timeOf(row: Row): number {
  if (row.kind !== 'synthetic') return evidenceJson<Case>(`${row.path}/case.json`).verificationTime ?? UNSTATED
  const about = evidenceJson<readonly Case[]>(`${SYNTHETIC}/index.json`).find(({ name }) => name === row.id)
  if (about?.verificationTime === undefined) throw new TypeError(`no time for ${row.id}`)
  return about.verificationTime
}

function judged(row: Row, policy: Policy | null): Promise<Decision> {
  const root = rootOf(row)
  return verify(
    ['quote.bin', 'collateral.json']
      .filter((name) => hasEvidence(`${row.path}/${name}`))
      .map((name) => ({ name, bytes: evidence(`${row.path}/${name}`) })),
    {
      now: timeOf(row),
      policy,
      freshness: { kind: 'notChecked', because: 'the case states no nonce' },
      collateral: NO_COLLATERAL,
      lease: null,
      physical: 'unknown',
      referenceValues: [],
      injectedAnchors: root === undefined ? [] : [anchorFromCertificate(root, 'intel/sgx-root')],
      cache: createVerificationCache(),
    },
  )
}

/** Accepted is what leaves nothing to say but that nobody gave a policy. */
async function ours(row: Row): Promise<Answer> {
  const { findings, items } = await judged(row, null)
  const told = findings.map((f) => f.code).filter((code) => code !== 'POLICY_MISSING')
  if (told.length > 0) return { accepted: false, because: [...new Set(told)].join(', ') }
  const claims = items[0]?.claims
  if (items.length !== 1 || items[0]?.verdict !== 'accept' || claims === undefined || !isCpuClaims(claims)) {
    throw new TypeError(`nothing is said against ${row.id}, and it is not proved`)
  }
  if (claims.kind === 'amd/snp-report' || claims.tcb === undefined) throw new TypeError(`${row.id} has no TCB`)
  return { accepted: true, status: claims.tcb.status, advisoryIds: claims.tcb.advisoryIds }
}

/** The other library answers by returning or throwing; it reads the collateral as it was parsed. */
function theirs(row: Row): Answer {
  const collateral = hasEvidence(`${row.path}/collateral.json`) ? evidenceJson(`${row.path}/collateral.json`) : {}
  const verifier = QuoteVerifier.newWithRootCa(Buffer.from(rootOf(row) ?? constants.TRUSTED_ROOT_CA_DER))
  try {
    const report = verifier.verify(
      evidence(`${row.path}/quote.bin`),
      collateral as Parameters<QuoteVerifier['verify']>[1],
      timeOf(row),
    )
    return { accepted: true, status: report.status, advisoryIds: report.advisory_ids }
  } catch (error) {
    // A TypeError is a crash and no answer of theirs; its words are those of the runtime.
    return { accepted: false, because: error instanceof TypeError ? 'TypeError' : (error as Error).message }
  }
}

const AGREED = 'agreed'

/** `ours / theirs`; of two that accept, what is told differently. Two refusals agree, whatever each of them names. */
function difference(a: Answer, b: Answer): string {
  if (!a.accepted && !b.accepted) return AGREED
  if (!a.accepted || !b.accepted) return `${word(a)} / ${word(b)}`
  const less = a.advisoryIds.filter((id) => !b.advisoryIds.includes(id)).map((id) => ` -${id}`)
  const more = b.advisoryIds.filter((id) => !a.advisoryIds.includes(id)).map((id) => ` +${id}`)
  const isSame = a.status === b.status && less.length === 0 && more.length === 0
  return isSame ? AGREED : `${a.status} / ${b.status}${[...less, ...more].sort().join('')}`
}

const word = (answer: Answer): string => (answer.accepted ? answer.status : answer.because)

/** What a policy that takes every level of patching refuses is refused for what the guest or enclave is. */
function anyTcb(): Policy {
  const dcap = {
    tcbStatus: [
      ...['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'],
      ...['OutOfDate', 'OutOfDateConfigurationNeeded'],
    ],
  }
  const policy = parsePolicy(
    JSON.stringify({
      version: 1,
      name: 'any-tcb',
      require: {
        level: 1,
        cpu: { any: ['intel/tdx', 'intel/sgx'].map((platform) => ({ platform, revocation: 'stapled', ...dcap })) },
        gpu: 'any',
        physical: 'any',
      },
      freshness: { maxAgeSeconds: 120 },
      onInconclusive: 'deny',
    }),
  )
  if (!policy.ok) throw new TypeError(JSON.stringify(policy.faults))
  return policy.value
}

describeEvidence('intel/synthetic', () => {
  const rows = evidenceJson<readonly Row[]>('index.json').filter(({ area }) => area === 'intel')
  const ids = rows.map(({ id }) => id)

  it('has every case that is listed, each once', () => {
    expect(ids.length).toBeGreaterThanOrEqual(149)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(expect.arrayContaining([...Object.keys(DISAGREEMENTS), ...NOTHING_TO_EVALUATE]))
  })

  it('has collateral for all cases but those listed', () => {
    expect(rows.filter(({ path }) => !hasEvidence(`${path}/collateral.json`)).map(({ id }) => id)).toEqual(
      NOTHING_TO_EVALUATE,
    )
  })

  it.each(rows)('$id', async (row) => {
    expect(difference(await ours(row), theirs(row))).toBe(DISAGREEMENTS[row.id]?.told ?? AGREED)
  })

  const byPolicy = (row: Row) => DISAGREEMENTS[row.id]?.byPolicy
  const codes = async (row: Row) => (await judged(row, anyTcb())).findings.map((f) => f.code)

  it.each(rows.filter(byPolicy))('$id is refused by a policy', async (row) => {
    expect(await codes(row)).toContain(byPolicy(row))
  })

  it.each(rows.filter(({ id }) => /^valid_/.test(id)))('$id is not: only its nonce is unknown', async (row) => {
    expect(await codes(row)).toEqual(['BIND_NOT_CHECKED'])
  })
})
