import type { Code } from '../../core/codes.ts'
import type { Cursor } from '../../core/cursor.ts'
import { decodeLayout } from '../../core/layout.ts'
import { refuse, take } from '../../core/outcome.ts'
import { PCK_ID } from './quote-layout.ts'

/** How a quote says which PCK certificate vouches for its quoting enclave. */
export type CertificationData =
  | {
      readonly kind: 'chain'
      /** PEM without the NUL that ends it */
      readonly pem: Uint8Array
    }
  | {
      readonly kind: 'pck-id'
      /** 16 bytes; undefined where it is encrypted for Intel */
      readonly ppid: Uint8Array | undefined
      /** 16 bytes */
      readonly cpuSvn: Uint8Array
      readonly pceSvn: number
      /** 2 bytes */
      readonly pceId: Uint8Array
    }

const PCK_CHAIN = 5

/**
 * Reads certification data up to the end of `cursor`, inside `attempt`: a PCK chain (type 5), or what the certificate can be
 * looked up by (types 1 to 3). Every other type, and one inside another, ends it with `code`.
 * @see ../shared/spec/intel-dcap.md §1, Auth data
 */
export function readCertification(cursor: Cursor, path: string, code: Code): CertificationData {
  const type = cursor.u16('certificationData.type')
  const data = cursor.take(cursor.u32('certificationData.size'), 'certificationData')
  cursor.end()
  const at = `${path}.certificationData`
  switch (type) {
    case 1: {
      const fields = take(decodeLayout(PCK_ID[1], data, at, { size: code, reserved: code }))
      return { kind: 'pck-id', ...fields }
    }
    case 2:
    case 3: {
      const { cpuSvn, pceSvn, pceId } = take(decodeLayout(PCK_ID[type], data, at, { size: code, reserved: code }))
      return { kind: 'pck-id', ppid: undefined, cpuSvn, pceSvn, pceId }
    }
    case PCK_CHAIN:
      return { kind: 'chain', pem: data[data.length - 1] === 0 ? data.subarray(0, -1) : data }
    default:
      return refuse(code, `${at}.type`, { expected: '1, 2, 3 (PCK named) or 5 (PCK chain)', actual: type })
  }
}
