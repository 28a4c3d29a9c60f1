import type { CodeTable } from './entry.ts'

export const OCICRYPT_CODES = {
  // Encrypted container images: the key provider that ocicrypt calls.
  OCICRYPT_REQUEST_INVALID: {
    verdict: 'reject',
    title: 'The request of ocicrypt, or the annotation of the image layer, is not one of a key provider.',
    hint: 'Name the key as provider:vouchsafe:kbs:///TENANT/TYPE/TAG when the image is encrypted, and decrypt an image that was encrypted for this provider.',
  },
  OCICRYPT_KEY_UNKNOWN: {
    verdict: 'reject',
    title: 'There is no key of the id that the image names.',
    hint: 'Name the key as kbs:///TENANT/TYPE/TAG and add it to the key file, a JWK of type oct with that kid, or let the provider ask the service with --kbs URL.',
  },
  OCICRYPT_KEY_INVALID: {
    verdict: 'reject',
    title: 'The key that wraps the keys of image layers is not one of 32 bytes.',
    hint: 'Register or write a key of exactly 32 random bytes, for example from openssl rand -base64 32.',
  },
  OCICRYPT_UNWRAP_FAILED: {
    verdict: 'reject',
    title: 'The key of the image layer does not open under the key that the image names.',
    hint: 'Use the key that the image was encrypted with: it was replaced under the same id, or the annotation was changed. Encrypt the image anew where the key is lost.',
  },
} as const satisfies CodeTable
