import { createHash } from 'node:crypto'
import type { CollateralRequest } from './objects.ts'

/**
 * One name for one object, the same whoever asks: for messages, for one flight per object, for a cache. It holds printable
 * ASCII only, and no two objects share it.
 */
export function objectName(request: CollateralRequest): string {
  switch (request.kind) {
    case 'amd-vcek': {
      const { fmc, bootloader, tee, snp, microcode } = request.tcb
      const levels =
        request.product === 'Turin' ? [fmc, bootloader, tee, snp, microcode] : [bootloader, tee, snp, microcode]
      return `amd-vcek/${request.product}/${request.hwid}/${levels.join('.')}`
    }
    case 'amd-chain':
    case 'amd-crl':
      return `${request.kind}/${request.product}/${request.key}`
    case 'intel-tcb-info':
      return `intel-tcb-info/${request.tee}/${request.fmspc}/${request.update}`
    case 'intel-qe-identity':
      return `intel-qe-identity/${request.tee}/${request.update}`
    case 'intel-evaluation-numbers':
      return `intel-evaluation-numbers/${request.tee}`
    case 'intel-pck-crl':
      return `intel-pck-crl/${request.ca}`
    case 'intel-root-crl':
      return 'intel-root-crl'
    case 'nvidia-rim':
      return `nvidia-rim/${request.id}`
    case 'nvidia-ocsp': {
      const pair = createHash('sha256').update(request.issuer).update(request.certificate).digest('hex')
      return `nvidia-ocsp/${pair}`
    }
    case 'jwks':
      return `jwks/${request.issuer}`
  }
}
