import type { CollateralFile } from '../attestation/collateral.ts'
import { PRODUCT_FACTS } from '../attestation/sev-snp/products.ts'
import { vekExtensions } from '../attestation/sev-snp/vek-extensions.ts'
import { toHex } from '../core/encodings.ts'
import { attempt } from '../core/outcome.ts'
import { decodePem, looksLikePem } from '../core/pem.ts'
import type { Certificate } from '../core/x509/certificate.ts'
import { decodeCertificate } from '../core/x509/certificate.ts'
import { decodeCrl } from '../core/x509/crl.ts'
import { commonName, nameText } from '../core/x509/names.ts'
import { type Ask, type Body, checked, DER_TYPES, PEM_TYPES, refuseForm, refuseOther } from './ask.ts'
import { objectName } from './object-name.ts'
import type { CollateralRequest } from './objects.ts'

type AmdRequest = Extract<CollateralRequest, { kind: `amd-${string}` }>
type VcekRequest = Extract<AmdRequest, { kind: 'amd-vcek' }>
type ProductRequest = Exclude<AmdRequest, VcekRequest>

const MOST_CERTIFICATE_BYTES = 16 * 1024
/** AMD's have less than a kilobyte */
const MOST_LIST_BYTES = 256 * 1024

/**
 * AMD's key distribution service: VCEKs by chip and firmware level, the authorities of a product, their revocation list.
 * @see AMD 57230, chapter 4
 */
export function askAmd(request: AmdRequest): Ask {
  if (!Object.hasOwn(PRODUCT_FACTS, request.product)) throw new TypeError(`AMD has no product ${request.product}`)
  switch (request.kind) {
    case 'amd-vcek':
      return {
        ...COMMON,
        path: `/vcek/v1/${request.product}/${hwidOf(request)}?${levelsOf(request)}`,
        contentTypes: DER_TYPES,
        maxBytes: MOST_CERTIFICATE_BYTES,
        absence: `AMD knows no such chip of ${request.product}, or not at this TCB`,
        read: (body) => attempt(() => [readVcek(request, body)]),
      }
    case 'amd-chain':
      return {
        ...COMMON,
        path: `/${keyOf(request)}/v1/${request.product}/cert_chain`,
        contentTypes: [...PEM_TYPES, ...DER_TYPES],
        maxBytes: MOST_CERTIFICATE_BYTES,
        absence: `AMD publishes no authorities of ${request.product}`,
        read: (body) => attempt(() => [readChain(request, body)]),
      }
    case 'amd-crl':
      return {
        ...COMMON,
        path: `/${keyOf(request)}/v1/${request.product}/crl`,
        contentTypes: DER_TYPES,
        maxBytes: MOST_LIST_BYTES,
        absence: `AMD publishes no revocation list of ${request.product}`,
        read: (body) => attempt(() => [readList(request, body)]),
      }
  }
}

const COMMON = { service: 'amd-kds', method: 'GET' } as const

function keyOf({ key }: ProductRequest): 'vcek' | 'vlek' {
  if (key !== 'vcek' && key !== 'vlek') throw new TypeError(`AMD has no key ${key}`)
  return key
}

const hwidOf = ({ product, hwid }: VcekRequest): string =>
  checked(hwid, new RegExp(`^[0-9a-f]{${2 * PRODUCT_FACTS[product].hwIdBytes}}$`), 'hwid')

/** A chip has the levels of its product; the service takes two decimal digits as well as one. */
function levelsOf({ product, tcb }: VcekRequest): string {
  const levels = [
    ...(product === 'Turin' ? [['fmcSPL', tcb.fmc] as const] : []),
    ...([
      ['blSPL', tcb.bootloader],
      ['teeSPL', tcb.tee],
      ['snpSPL', tcb.snp],
      ['ucodeSPL', tcb.microcode],
    ] as const),
  ]
  return levels.map(([name, level]) => `${name}=${spl(level)}`).join('&')
}

function spl(level: number): string {
  if (!Number.isInteger(level) || level < 0 || level > 255) throw new TypeError('a level is from 0 to 255')
  return String(level).padStart(2, '0')
}

const fileName = (request: AmdRequest, ending: string): string =>
  `${objectName(request).replaceAll('/', '-')}.${ending}`

function certificateIn(der: Uint8Array, object: string): Certificate {
  const certificate = decodeCertificate(der, object)
  return certificate.ok ? certificate.value : refuseForm(object, 'a certificate', certificate.faults[0].code)
}

function readVcek(request: VcekRequest, { bytes }: Body): CollateralFile {
  const object = objectName(request)
  const extensions = vekExtensions(certificateIn(bytes, object))
  if (!extensions.ok) return refuseForm(object, 'a VCEK', extensions.faults[0].code)
  const { hwId, tcb, product } = extensions.value
  const answered = objectName({
    kind: 'amd-vcek',
    product: product ?? request.product,
    hwid: toHex(hwId ?? new Uint8Array()),
    tcb: { ...tcb, fmc: tcb.fmc ?? 0 },
  })
  if (answered !== object) refuseOther(object, object, answered)
  return { name: fileName(request, 'der'), bytes }
}

/** ASK or ASVK, then the ARK (AMD 57230 §4.2). */
function readChain(request: ProductRequest, { bytes }: Body): CollateralFile {
  const object = objectName(request)
  const blocks = looksLikePem(bytes) ? decodePem(bytes, object) : undefined
  if (blocks?.ok !== true || blocks.value.length !== 2)
    return refuseForm(object, 'two certificates in PEM', 'another form')
  const names = blocks.value.map(({ der }) => commonName(certificateIn(der, object).subject) ?? '')
  const wanted = [`SEV-${request.key === 'vlek' ? 'VLEK-' : ''}${request.product}`, `ARK-${request.product}`]
  if (names.join() !== wanted.join()) refuseOther(object, wanted.join(', '), names.join(', '))
  return { name: fileName(request, 'pem'), bytes }
}

function readList(request: ProductRequest, { bytes }: Body): CollateralFile {
  const object = objectName(request)
  const list = decodeCrl(bytes, object)
  if (!list.ok) return refuseForm(object, 'a revocation list', list.faults[0].code)
  const wanted = `ARK-${request.product}`
  if (commonName(list.value.issuer) !== wanted) refuseOther(object, wanted, nameText(list.value.issuer))
  return { name: fileName(request, 'crl'), bytes }
}
