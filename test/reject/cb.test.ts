import { describe } from 'vitest'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import { DETERMINISTIC, decodeCbor } from '../../src/core/cbor.ts'
import type { Code } from '../../src/core/codes.ts'
import type { Finding } from '../../src/core/outcome.ts'
import {
  CCA_FAULTS,
  type CcaFault,
  type CcaSpec,
  ccaToken,
  NITRO_FAULTS,
  type NitroFault,
  type NitroSpec,
  nitroDocument,
} from '../../src/testing/index.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import type { RowId } from './catalogue.ts'
import { type Check, type OtherCode, row } from './row.ts'
import { bundle, bundleItem, type How, judged, NONCE, NOW, SEED } from './stage.ts'

type Found = Promise<readonly Finding[]>

/** No policy speaks of these kinds, so the evidence alone is judged; that a policy is missing is then all that is found. */
const withoutPolicyMissing = async (decision: ReturnType<typeof judged>): Found =>
  (await decision).findings.filter((f) => f.code !== 'POLICY_MISSING')

function nitro(spec: NitroSpec = {}, how: How = {}): Found {
  const { document, root } = nitroDocument(SEED, { nonce: NONCE, ...spec })
  const anchors = [anchorFromCertificate(root, 'aws/nitro-root')]
  const evidence = bundle([bundleItem('cpu', 'aws/nitro', document, [])])
  return withoutPolicyMissing(judged({ evidence, collateral: [], anchors }, { policy: null, ...how }))
}

function cca(spec: CcaSpec = {}): Found {
  const { token, platformKeyPem } = ccaToken(SEED, { challenge: NONCE, ...spec })
  const evidence = bundle([bundleItem('cpu', 'arm/cca-token', token, [])])
  return withoutPolicyMissing(judged({ evidence, collateral: [utf8(platformKeyPem)], anchors: [] }, { policy: null }))
}

interface More {
  readonly twin?: Readonly<Record<string, Check>>
  readonly bad?: Readonly<Record<string, Check>>
  readonly codes?: Readonly<Partial<Record<NitroFault, Code>>>
}

/** Every fault that the test kit has for this row, of documents and tokens, each beside the same without it. */
function kitRow(id: RowId, { twin = {}, bad = {}, codes = {} }: More = {}): void {
  const twins: Record<string, Check> = { ...twin }
  const bads: Record<string, Check | OtherCode> = { ...bad }
  for (const [wrong, fault] of Object.entries(NITRO_FAULTS) as [NitroFault, { row?: string }][]) {
    if (fault.row !== id) continue
    const check = () => nitro({ wrong })
    const code = codes[wrong]
    twins[`nitro ${wrong}`] = () => nitro()
    bads[`nitro ${wrong}`] = code === undefined ? check : { code, check }
  }
  for (const [wrong, fault] of Object.entries(CCA_FAULTS) as [CcaFault, { row?: string }][]) {
    if (fault.row !== id) continue
    twins[`cca ${wrong}`] = () => cca()
    bads[`cca ${wrong}`] = () => cca({ wrong })
  }
  row(id, { twin: twins, bad: bads })
}

const nested = (depth: number): Uint8Array => new Uint8Array(depth).fill(0x81, 0, depth - 1)
const read = (bytes: Uint8Array) => decodeCbor(bytes, 'cbor', DETERMINISTIC)
/** A head, and eight bytes that are eight items as well. */
const followed = (...head: number[]): Uint8Array => concatBytes(Uint8Array.from(head), new Uint8Array(8))

describe('CBOR', () => {
  kitRow('RJ-CB-01')
  kitRow('RJ-CB-02')
  kitRow('RJ-CB-03')
  kitRow('RJ-CB-04')
  kitRow('RJ-CB-05', {
    twin: {
      '65 levels': () => read(nested(64)),
      '100 000 levels': () => read(nested(64)),
      'an array of 2^31 - 1': () => read(followed(0x88)),
      'bytes of 2^40': () => read(followed(0x48)),
    },
    bad: {
      '65 levels': () => read(nested(65)),
      '100 000 levels': () => read(nested(100_000)),
      'an array of 2^31 - 1': () => read(followed(0x9a, 0x7f, 0xff, 0xff, 0xff)),
      'bytes of 2^40': () => read(followed(0x5b, 0, 0, 1, 0, 0, 0, 0, 0)),
    },
  })
})

describe('COSE', () => {
  kitRow('RJ-CB-06')
  kitRow('RJ-CB-07', { codes: { 'external-aad': 'COSE_SIGNATURE_INVALID' } })
})

describe('AWS Nitro', () => {
  kitRow('RJ-CB-08')
  kitRow('RJ-CB-09')
  kitRow('RJ-CB-10', {
    twin: { 'judged three hours later': () => nitro({}, { now: NOW + 3 * 3600 }) },
    bad: { 'judged three hours later': () => nitro({}, { now: NOW + 3 * 3600 + 1 }) },
  })
})

describe('Arm CCA', () => {
  kitRow('RJ-CB-11')
  kitRow('RJ-CB-12')
})
