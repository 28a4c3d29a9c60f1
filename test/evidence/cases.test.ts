import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { CollateralFile } from '../../src/attestation/collateral.ts'
import { readEvidence } from '../../src/attestation/envelopes/index.ts'
import { authenticateChain } from '../../src/attestation/nvidia/chain.ts'
import { authenticateRim } from '../../src/attestation/nvidia/rim/index.ts'
import { authenticateKey } from '../../src/attestation/sev-snp/collateral.ts'
import { offersInCollateral } from '../../src/attestation/sev-snp/endorsements.ts'
import { Context, createVerificationCache } from '../../src/core/context.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { attemptAsync, type Outcome, take } from '../../src/core/outcome.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import { PINNED_ANCHORS, type TrustAnchor } from '../../src/core/trust-anchors.ts'
import { nameText } from '../../src/core/x509/names.ts'
import { checkValidity } from '../../src/core/x509/path.ts'
import { type Decision, NO_COLLATERAL, prepareCollateral, verify } from '../../src/index.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { describeEvidence, evidence, evidenceJson, evidencePath, hasEvidence } from '../support/evidence.ts'

interface Row {
  readonly id: string
  readonly area: string
  readonly path: string
  readonly kind: string
  readonly expect: 'accept' | 'reject' | 'reject-by-policy' | 'parse' | 'sample' | 'data' | 'see-case'
  readonly stage?: string
  readonly rim?: 'match' | 'missing'
}

interface Case {
  readonly verificationTime?: string
  readonly trustedRoot?: string
  readonly nonce?: string | null
  readonly expectedReportData?: string
  readonly expected?: unknown
}

const AREAS = ['nvidia', 'sev-snp']
const NOTES = new Set(['case.json', 'verified.json', 'output.json', 'decoded.json'])

/** A decision about Milan's real fleet needs Milan named; everything else is the preset as shipped. */
const EVERY_PRODUCT = {
  version: 1,
  name: 'every-product',
  require: {
    level: 1,
    cpu: {
      any: [
        {
          platform: 'amd/snp',
          products: ['Milan', 'Genoa', 'Turin'],
          signingKeys: ['vcek', 'vlek'],
          minReportVersion: 2,
          tcbFloors: { bulletins: 'all' },
          revocation: 'none',
        },
      ],
    },
    gpu: 'any',
  },
  acceptRisks: ['milan-seed-extraction'],
  freshness: { maxAgeSeconds: 120 },
  onInconclusive: 'deny',
}

/** `reject with policy minTcb.Genoa.snp=28`: the floor that the case names. */
function everyProduct(about: Case): Policy {
  const [, component, level] = /minTcb\.\w+\.(\w+)=(\d+)/.exec(String(about.expected)) ?? []
  const document = structuredClone(EVERY_PRODUCT)
  if (component !== undefined)
    Object.assign(document.require.cpu.any[0] ?? {}, { minTcb: { [component]: Number(level) } })
  const policy = parsePolicy(JSON.stringify(document))
  if (!policy.ok) throw new TypeError(JSON.stringify(policy.faults))
  return policy.value
}

const filesOf = (path: string): CollateralFile[] =>
  readdirSync(evidencePath(path))
    .filter((name) => !NOTES.has(name))
    .sort()
    .map((name) => ({ name, bytes: evidence(`${path}/${name}`) }))

const timeOf = (about: Case): number => {
  const at = parseRfc3339((about.verificationTime ?? '').replace('.000Z', 'Z').slice(0, 20))
  if (at === undefined) throw new TypeError(`verificationTime ${about.verificationTime}`)
  return at
}

const anchorsOf = (path: string, about: Case): TrustAnchor[] =>
  about.trustedRoot === undefined ? [] : [anchorFromCertificate(evidence(`${path}/${about.trustedRoot}`), 'amd/ark')]

/** A case whose evidence is sound and whose challenge was another one states no nonce: any other value is that challenge's. */
function otherNonce(path: string, about: Case): string | undefined {
  if (!/report_data mismatch/.test(String(about.expected))) return undefined
  const reportData = evidence(`${path}/report.bin`).slice(0x50, 0x90)
  reportData[0] = (reportData[0] ?? 0) ^ 0xff
  return Buffer.from(reportData).toString('hex')
}

/** The nonce that a challenge would have expected, where the case states one: it must then be answered. */
function freshnessOf(path: string, about: Case): Parameters<typeof verify>[1]['freshness'] {
  const hex = about.expectedReportData ?? about.nonce ?? otherNonce(path, about)
  if (typeof hex !== 'string' || !/^([0-9a-f]{64}|[0-9a-f]{128})$/.test(hex))
    return { kind: 'notChecked', because: 'the case states no nonce' }
  return { kind: 'nonce', nonce: Uint8Array.from(Buffer.from(hex, 'hex')) }
}

function judged(path: string, about: Case, policy: Policy | null): Promise<Decision> {
  return verify(filesOf(path), {
    now: timeOf(about),
    policy,
    freshness: freshnessOf(path, about),
    collateral: NO_COLLATERAL,
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: anchorsOf(path, about),
    cache: createVerificationCache(),
  })
}

const told = (decision: Decision) => decision.findings.map((f) => `${f.item} ${f.code} ${f.path}`).join('\n')
const codes = (decision: Decision) => new Set(decision.findings.map((f) => f.code))

/** Folders without evidence in them: certificates or manifests, judged by the room that would use them. */
async function collateralAlone(path: string, about: Case): Promise<boolean> {
  const context = new Context({
    now: timeOf(about),
    anchors: [...PINNED_ANCHORS, ...anchorsOf(path, about)],
    crypto: nodeCrypto,
    cache: createVerificationCache(),
  })
  const { collateral, faults } = await prepareCollateral(filesOf(path))
  if (faults.length > 0) return false
  const outcomes: Outcome<unknown>[] = [
    ...(await Promise.all(
      collateral.rims.map((rim) =>
        attemptAsync(async () => {
          const { path: signers } = take(await authenticateRim(context, rim, 'rim'))
          // A library holds manifests of several years; each is judged while its signer was in date.
          const at = Math.max(context.now, ...signers.certificates.map((c) => c.notBefore))
          checkValidity(
            new Context({ now: at, anchors: PINNED_ANCHORS, crypto: nodeCrypto, cache: createVerificationCache() }),
            signers,
            'rim',
          )
        }),
      ),
    )),
  ]
  const offers = offersInCollateral(collateral)
  // A folder without evidence is a chain as somebody presents it: what it brings must be what its key was certified by.
  const names = offers.authorities.map((a) => nameText(a.value.subject))
  if (names.length > 0 && offers.keys.some((k) => !names.includes(nameText(k.value.issuer)))) return false
  for (const key of offers.keys)
    outcomes.push(await attemptAsync(() => authenticateKey(context, 'evidence', key, offers, collateral)))
  if (outcomes.length === 0) {
    const certificates = collateral.certificates.map((c) => c.value)
    outcomes.push(
      await attemptAsync(async () => take(await authenticateChain(context, certificates, 'gpu', undefined, 'chain'))),
    )
  }
  return outcomes.every((o) => o.ok)
}

/** Decided from the folder's content, so that a new case needs no code. */
function holdsEvidence(path: string): boolean {
  const read = readEvidence(filesOf(path))
  return read.ok || read.faults[0].code !== 'ENV_NOTHING_TO_JUDGE'
}

describeEvidence('index.json', () => {
  const rows = evidenceJson<Row[]>('index.json').filter((r) => AREAS.includes(r.area))

  it('holds cases of both areas', () => {
    for (const area of AREAS) expect(rows.filter((r) => r.area === area).length).toBeGreaterThan(10)
  })

  describe.each(rows)('$path', (row) => {
    const about = hasEvidence(`${row.path}/case.json`) ? evidenceJson<Case>(`${row.path}/case.json`) : {}

    if (['data', 'sample', 'see-case'].includes(row.expect)) {
      it(`is ${row.expect}: nothing to judge`, () => expect(row.expect).not.toBe('accept'))
    } else if (!holdsEvidence(row.path)) {
      it(`${row.expect}: certificates or manifests alone`, async () => {
        expect(await collateralAlone(row.path, about)).toBe(row.expect === 'accept')
      })
    } else if (row.expect === 'accept') {
      it('is authentic', async () => {
        const decision = await judged(row.path, about, null)
        const wanted = new Set(row.rim === 'missing' ? ['GPU_RIM_UNAVAILABLE', 'POLICY_MISSING'] : ['POLICY_MISSING'])
        expect(codes(decision), told(decision)).toEqual(wanted)
        expect(decision.verdict).toBe('inconclusive')
        expect(decision.items.every((i) => i.claims !== undefined)).toBe(true)
        if (row.rim !== 'missing')
          expect(decision.items.map((i) => i.verdict)).toEqual(decision.items.map(() => 'accept'))
      })
    } else if (row.expect === 'parse') {
      it('decodes, and nothing is there to prove it with', async () => {
        const decision = await judged(row.path, about, null)
        expect(codes(decision), told(decision)).toEqual(new Set(['SNP_VCEK_UNAVAILABLE', 'POLICY_MISSING']))
      })
    } else if (row.stage === 'policy' || row.expect === 'reject-by-policy') {
      it('is refused by a policy that takes every product', async () => {
        const decision = await judged(row.path, about, everyProduct(about))
        expect(decision.verdict, told(decision)).toBe('reject')
        expect(decision.items[0]?.verdict, told(decision)).toBe('reject')
      })
    } else {
      it('is refused', async () => {
        const decision = await judged(row.path, about, null)
        expect(decision.verdict, told(decision)).toBe('reject')
      })
    }
  })
})
