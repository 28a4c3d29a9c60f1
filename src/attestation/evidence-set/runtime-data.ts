import { equalBytes, isZero } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { fromHex, toHex } from '../../core/encodings.ts'
import { type FaultDetail, fault, take } from '../../core/outcome.ts'
import { decodeRuntimeData } from '../azure-cvm/index.ts'
import { isCpuClaims } from '../claims.ts'
import type { EvidenceSet } from '../evidence.ts'
import type { ItemFault, ProvedItem } from './binding.ts'

/** What ties the TPM of an Azure VM to its CPU. */
export interface RuntimeJudgement {
  /** whether REPORT_DATA covers runtime data, so that the TPM answers the challenge in the CPU's place */
  readonly isCarried: boolean
  /** ids of proved TPM quotes whose key the proved CPU report covers */
  readonly bound: readonly string[]
  readonly faults: readonly ItemFault[]
}

/**
 * Judges what REPORT_DATA covers beside the challenge: the runtime data must hash to it, with zeros behind, and the key HCLAkPub in
 * them must be the one that the TPM quotes were proved by. Only what the hash proved is read.
 * Faults: TPM_RUNTIME_DATA_NOT_BOUND · TPM_RUNTIME_DATA_INVALID · TPM_AK_NOT_BOUND
 * @see ../shared/spec/tpm-and-clouds.md §4
 */
export async function judgeRuntimeData(
  context: Pick<Context, 'digest'>,
  set: EvidenceSet,
  proved: readonly ProvedItem[],
): Promise<RuntimeJudgement> {
  const carrying = set.items.find((item) => item.runtimeData !== undefined)
  const runtime = carrying?.runtimeData
  if (carrying === undefined || runtime === undefined) return { isCarried: false, bound: [], faults: [] }
  const refused = (
    item: string,
    code: 'TPM_RUNTIME_DATA_NOT_BOUND' | 'TPM_AK_NOT_BOUND',
    path: string,
    d: FaultDetail,
  ) => ({ item, fault: fault(code, `${item}.${path}`, d) }) satisfies ItemFault
  const claims = proved.find((p) => p.id === carrying.id)?.claims
  // A report that is not proved is refused on its own, and covers nothing.
  if (claims === undefined || !isCpuClaims(claims)) return { isCarried: true, bound: [], faults: [] }

  const reportData = take(fromHex(claims.reportData, 64, 'reportData'))
  const digest = await context.digest(runtime.hash, runtime.bytes)
  const isBound =
    equalBytes(reportData.subarray(0, digest.length), digest) && isZero(reportData.subarray(digest.length))
  if (!isBound) {
    const detail = { expected: `${toHex(digest)}, then zeros`, actual: claims.reportData }
    return {
      isCarried: true,
      bound: [],
      faults: [refused(carrying.id, 'TPM_RUNTIME_DATA_NOT_BOUND', 'reportData', detail)],
    }
  }
  const decoded = decodeRuntimeData(runtime.bytes, `${carrying.id}.runtimeData`)
  if (!decoded.ok)
    return { isCarried: true, bound: [], faults: decoded.faults.map((f) => ({ item: carrying.id, fault: f })) }
  const ak = toHex(decoded.value.akSpki)
  const quotes = proved.flatMap((p) =>
    p.claims.kind === 'tpm/quote' ? [{ id: p.id, key: p.claims.ak.publicKey }] : [],
  )
  return {
    isCarried: true,
    bound: quotes.filter(({ key }) => key === ak).map(({ id }) => id),
    faults: quotes
      .filter(({ key }) => key !== ak)
      .map(({ id, key }) => refused(id, 'TPM_AK_NOT_BOUND', 'ak.publicKey', { expected: ak, actual: key })),
  }
}
