import { indexOfBytes, isZero, utf8 } from '../../core/bytes.ts'
import { AS_WRITTEN, type Cbor, CborFields, decodeCbor } from '../../core/cbor.ts'
import { type CoseProfile, type CoseSign1, decodeCoseSign1 } from '../../core/cose.ts'
import { LIMITS } from '../../core/limits.ts'
import { attempt, fail, type NonEmpty, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type Decoded, decoded } from '../kind.ts'

/** A Nitro enclave's attestation document as a structure. Nothing in it is proved. */
export interface NitroDocument {
  readonly sign1: CoseSign1
  readonly moduleId: string
  /** milliseconds since 1970, by the clock of the Nitro security module */
  readonly timestamp: number
  /** 48 bytes each; 0, 1 and 2 are always there */
  readonly pcrs: ReadonlyMap<number, Uint8Array>
  /** DER of the certificate whose key signed the document */
  readonly certificate: Uint8Array
  /** DER of the authorities, root first */
  readonly cabundle: NonEmpty<Uint8Array>
  readonly publicKey: Uint8Array | undefined
  readonly userData: Uint8Array | undefined
  readonly nonce: Uint8Array | undefined
}

const SIGN1: CoseProfile = { algorithms: ['ES384'], tag: 'optional' }
const MODULE_ID = utf8('module_id')
const SHA384_BYTES = 48
const MOST_PCRS = 32
/** PCRs of the image, of kernel and boot file system, and of the application: what an enclave is. */
const IMAGE_PCRS = [0, 1, 2] as const
const CERTIFICATE = { least: 1, most: 1024 }
/** AWS's own text says 512 for user data and nonce, its module takes more since; what they must equal decides. */
const CALLERS_DATA = { least: 0, most: 1024 }

/** Whether the bytes are a COSE_Sign1 whose payload begins with a module id; no proof of anything. */
export const looksLikeNitroDocument = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0x84 || (bytes[0] === 0xd2 && bytes[1] === 0x84)) && indexOfBytes(bytes.subarray(0, 64), MODULE_ID) > 0

/** The enclave was started in debug mode: its image is not measured, and the parent instance reads its console. */
export const isDebug = ({ pcrs }: NitroDocument): boolean =>
  IMAGE_PCRS.some((index) => isZero(pcrs.get(index) ?? new Uint8Array()))

/**
 * Decodes an attestation document of the Nitro security module: COSE_Sign1 with ES384, tagged or not, around a map in the
 * order in which the module writes it. Documents of a NitroTPM (`nitrotpm_pcrs`) are another kind.
 * @returns the document, or LIMIT_EVIDENCE_BYTES · LIMIT_CERT_COUNT · those of `decodeCoseSign1` and `decodeCbor` ·
 * NITRO_DOCUMENT_INVALID
 * @see AWS, Nitro Enclaves: attestation process; ../shared/spec/tpm-and-clouds.md §6
 */
export function decodeNitroDocument(bytes: Uint8Array, path: string): Outcome<Decoded<NitroDocument>> {
  if (bytes.length > LIMITS.evidenceBytes) {
    return fail('LIMIT_EVIDENCE_BYTES', path, { expected: `at most ${LIMITS.evidenceBytes}`, actual: bytes.length })
  }
  return attempt(() => {
    const sign1 = take(decodeCoseSign1(bytes, path, SIGN1))
    const at = `${path}.payload`
    const fields = new CborFields(take(decodeCbor(sign1.payload, at, AS_WRITTEN)), at, 'NITRO_DOCUMENT_INVALID')
    const moduleId = fields.text('module_id', 'module_id')
    if (!/^[\x21-\x7e]{1,128}$/.test(moduleId)) fields.wrong('module_id', '1 to 128 printable characters', moduleId)
    const digest = fields.text('digest', 'digest')
    if (digest !== 'SHA384') fields.wrong('digest', 'SHA384', digest)
    const timestamp = fields.unsigned('timestamp', 'timestamp')
    const pcrs = pcrsOf(fields)
    const certificate = fields.bytes('certificate', 'certificate', CERTIFICATE)
    const cabundle = bundleOf(fields)
    const callers = (key: string, sizes: typeof CALLERS_DATA): Uint8Array | undefined => {
      const value = fields.optional(key)
      return value === undefined || value === null ? undefined : fields.bytesOf(value, key, sizes)
    }
    const publicKey = callers('public_key', { least: 1, most: 1024 })
    const userData = callers('user_data', CALLERS_DATA)
    const nonce = callers('nonce', CALLERS_DATA)
    fields.end()
    return decoded<NitroDocument>({
      ...{ sign1, moduleId, timestamp, pcrs, certificate, cabundle, publicKey, userData, nonce },
    })
  })
}

function pcrsOf(fields: CborFields): ReadonlyMap<number, Uint8Array> {
  const value: Cbor = fields.required('pcrs', 'pcrs')
  if (!(value instanceof Map)) return fields.wrong('pcrs', 'map', 'another item')
  const pcrs = new Map<number, Uint8Array>()
  for (const [index, pcr] of value) {
    if (typeof index !== 'number' || index < 0 || index >= MOST_PCRS) {
      return fields.wrong('pcrs', `indexes 0 to ${MOST_PCRS - 1}`, String(index))
    }
    pcrs.set(index, fields.bytesOf(pcr, `pcrs.${index}`, [SHA384_BYTES]))
  }
  const missing = IMAGE_PCRS.find((index) => !pcrs.has(index))
  return missing === undefined ? pcrs : fields.wrong(`pcrs.${missing}`, 'present', 'absent')
}

function bundleOf(fields: CborFields): NonEmpty<Uint8Array> {
  const entries = fields.array('cabundle', 'cabundle')
  if (entries.length >= LIMITS.certificatesPerChain) {
    refuse('LIMIT_CERT_COUNT', `${fields.path}.cabundle`, {
      expected: `at most ${LIMITS.certificatesPerChain} with the leaf`,
      actual: entries.length + 1,
    })
  }
  const [root, ...below] = entries.map((entry, i) => fields.bytesOf(entry, `cabundle[${i}]`, CERTIFICATE))
  return root === undefined ? fields.wrong('cabundle', 'certificates', 'none') : [root, ...below]
}
