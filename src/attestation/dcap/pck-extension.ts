import type { Code } from '../../core/codes.ts'
import { type Der, DerSequence, decodeDer, oidText, smallInteger, TAG } from '../../core/der.ts'
import { attempt, type Outcome, refuse } from '../../core/outcome.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { DCAP_CODES } from './codes.ts'
import type { PckExtension, Tee } from './model.ts'

/** SGX Extensions of a PCK certificate; every field has an OID below it. */
export const PCK_EXTENSION_OID = '1.2.840.113741.1.13.1'

const FIELDS = {
  ppid: '1',
  tcb: '2',
  pceId: '3',
  fmspc: '4',
  sgxType: '5',
  platformInstanceId: '6',
  configuration: '7',
} as const
const PCE_SVN = '17'
const CPU_SVN = '18'
const COMPONENTS = 16
const CONFIGURATION = { dynamicPlatform: '1', cachedKeys: '2', smtEnabled: '3' } as const

const decodedBefore: Readonly<Record<Tee, WeakMap<Certificate, Outcome<PckExtension>>>> = {
  TDX: new WeakMap(),
  SGX: new WeakMap(),
}

/**
 * Decodes Intel's extension of a PCK certificate, once per certificate: every field that Intel defines at most once, those of
 * all platforms present, lengths and ranges exact, and nothing else.
 * @returns the extension, or the `pckExtension` code of that TEE
 * @see ../shared/spec/intel-dcap.md §3
 */
export function pckExtension(certificate: Certificate, tee: Tee): Outcome<PckExtension> {
  const known = decodedBefore[tee].get(certificate)
  if (known !== undefined) return known
  const outcome = attempt(() => {
    const reader = new Reader(DCAP_CODES[tee].pckExtension)
    const { value } = certificate.extensions.get(PCK_EXTENSION_OID) ?? reader.invalid('present', 'absent')
    return reader.extension(value)
  })
  decodedBefore[tee].set(certificate, outcome)
  return outcome
}

type Members = ReadonlyMap<string, Der>

/** Reads inside `attempt`; whatever is not Intel's form ends it with one code. */
class Reader {
  readonly #code: Code

  constructor(code: Code) {
    this.#code = code
  }

  invalid(expected: string, actual?: string): never {
    return refuse(this.#code, 'pck.sgxExtensions', { expected, ...(actual === undefined ? {} : { actual }) })
  }

  extension(value: Uint8Array): PckExtension {
    const der = decodeDer(value, 'pck.sgxExtensions')
    if (!der.ok) return this.invalid('DER')
    const fields = this.#members(der.value, PCK_EXTENSION_OID, Object.values(FIELDS))
    const tcbOid = `${PCK_EXTENSION_OID}.${FIELDS.tcb}`
    const numbers = Array.from({ length: COMPONENTS }, (_, i) => `${i + 1}`)
    const tcb = this.#members(this.#required(fields, FIELDS.tcb), tcbOid, [...numbers, PCE_SVN, CPU_SVN])
    const sgxType = this.#number(fields, FIELDS.sgxType, TAG.enumerated, 2)
    const platformInstanceId = fields.has(FIELDS.platformInstanceId)
      ? this.#octets(fields, FIELDS.platformInstanceId, 16)
      : undefined
    return {
      ppid: this.#octets(fields, FIELDS.ppid, 16),
      components: numbers.map((n) => this.#number(tcb, n, TAG.integer, 0xff)),
      pceSvn: this.#number(tcb, PCE_SVN, TAG.integer, 0xffff),
      cpuSvn: this.#octets(tcb, CPU_SVN, 16),
      pceId: this.#octets(fields, FIELDS.pceId, 2),
      fmspc: this.#octets(fields, FIELDS.fmspc, 6),
      sgxType: sgxType === 0 || sgxType === 1 ? sgxType : 2,
      platformInstanceId,
      ...this.#configuration(fields.get(FIELDS.configuration)),
    }
  }

  #configuration(der: Der | undefined): Pick<PckExtension, 'dynamicPlatform' | 'cachedKeys' | 'smtEnabled'> {
    const oid = `${PCK_EXTENSION_OID}.${FIELDS.configuration}`
    const flags: Members = der === undefined ? new Map() : this.#members(der, oid, Object.values(CONFIGURATION))
    const flag = (name: string): boolean | undefined => {
      const value = flags.get(name)
      if (value !== undefined && value.tag !== TAG.boolean) this.invalid(`${oid}.${name} a BOOLEAN`)
      return value === undefined ? undefined : value.content[0] === 0xff
    }
    return {
      dynamicPlatform: flag(CONFIGURATION.dynamicPlatform),
      cachedKeys: flag(CONFIGURATION.cachedKeys),
      smtEnabled: flag(CONFIGURATION.smtEnabled),
    }
  }

  /** SEQUENCE OF { OID, value }: by the last arc of the OID, each once and below `arc`. */
  #members(der: Der, arc: string, known: readonly string[]): Members {
    const malformed = (what: string): never => this.invalid(`members below ${arc}`, what)
    const members = new Map<string, Der>()
    for (const entry of new DerSequence(der, TAG.sequence, malformed).rest()) {
      const pair = new DerSequence(entry, TAG.sequence, malformed)
      const oid = oidText(pair.next('OID', TAG.oid))
      const value = pair.next(`${oid} without value`)
      pair.end(oid)
      const last = oid.slice(arc.length + 1)
      if (!oid.startsWith(`${arc}.`) || !known.includes(last)) malformed(oid)
      if (members.has(last)) malformed(`${oid} twice`)
      members.set(last, value)
    }
    return members
  }

  #required(members: Members, name: string): Der {
    return members.get(name) ?? this.invalid(`member .${name}`, 'absent')
  }

  #octets(members: Members, name: string, sizeBytes: number): Uint8Array {
    const { tag, content } = this.#required(members, name)
    if (tag === TAG.octetString && content.length === sizeBytes) return content
    return this.invalid(`member .${name} an OCTET STRING of ${sizeBytes} bytes`, `${content.length} bytes`)
  }

  #number(members: Members, name: string, tag: number, most: number): number {
    const der = this.#required(members, name)
    const value = der.tag === tag ? smallInteger(der) : undefined
    return value !== undefined && value <= most ? value : this.invalid(`member .${name} a number up to ${most}`)
  }
}
