import { createHmac, createSecretKey } from 'node:crypto'
import type { ChallengeRecord } from '../attestation/challenge.ts'
import { constantTimeEqual, utf8 } from '../core/bytes.ts'
import { canonicalJson, isJsonObject, type JsonObject } from '../core/json.ts'
import type { StoredChallenge } from './store.ts'

/**
 * What a gate keeps of its questions, under HMAC-SHA-256 of its salt: who can write to the store can ask nothing in the
 * gate's name, such as a question whose answer was made beforehand.
 */
export interface Questions {
  readonly kept: (question: ChallengeRecord, expiresAt: number) => StoredChallenge
  /** the question, or undefined where none of this gate's processes asked it under this id and until this end */
  readonly asked: (stored: StoredChallenge) => JsonObject | undefined
}

/** @param salt 32 secret bytes, those of `createSalt` */
export function createQuestions(salt: Uint8Array): Questions {
  // As a key object: OpenSSL sets a key of bytes up anew for each MAC, at five times the cost.
  const key = createSecretKey(salt)
  const macOf = (question: JsonObject, id: string, expiresAt: number): string => {
    const text = canonicalJson({ question, id, expiresAt })
    return createHmac('sha256', key).update(`vouchsafe/challenge/1\0${text}`).digest('base64url')
  }
  return {
    kept: (question, expiresAt) => {
      const { id } = question
      return { id, record: { question, mac: macOf(question, id, expiresAt) }, expiresAt }
    },
    asked: ({ id, record: { question, mac }, expiresAt }) => {
      if (!isJsonObject(question) || typeof mac !== 'string') return undefined
      return constantTimeEqual(utf8(mac), utf8(macOf(question, id, expiresAt))) ? question : undefined
    },
  }
}
