"""Refusals about documents of bids."""

from market.errors import Malformed, MarketError, WrongStage, keeps


class DocumentFaulty(Malformed):
    """A document cannot be as it is announced; every fault is listed with its place."""

    title = "The document cannot be taken as it is described. Each fault is listed with its place."


class SealedDocumentsFaulty(Malformed):
    """A bid that its supplier sealed lists complete documents of its own, which it sealed too."""

    title = "The documents of the sealed bid cannot be taken. Each fault is listed with its place."


class DocumentsFull(MarketError):
    """The documents of an organisation for one tender are bounded, in number and in bytes."""

    title = "Your organisation's documents for this tender are too many. Remove what no bid needs."


@keeps("bid_document_pkey")
class DocumentIdTaken(MarketError):
    """A supplier that seals a document itself chooses its id, and must choose a new one."""

    title = "There is a document of this id. Draw a new random UUID, and seal the document anew."


@keeps("document_part_follows")
class UploadOffsetWrong(MarketError):
    """What is sent does not begin where the upload stands; the detail says where that is."""

    title = "The upload stands elsewhere. Ask where by HEAD, and send what follows."


@keeps("document_complete_whole", "bid_document_complete_whole")
class UploadUnfinished(MarketError):
    """A document is complete when all of it came; the detail says how much has."""

    title = "Not all of the document has come. Send what follows, and complete it then."


class UploadChanged(MarketError):
    """The upload began anew, or was completed or removed, while it was looked through."""

    title = "The upload has changed meanwhile. Look at it, and go on from there."


class DocumentDigestWrong(MarketError):
    """What came is not what was announced; the upload begins anew at 0."""

    status = 422
    title = "The digest of what came is not the one announced. The upload begins anew: send all."


class DocumentKindWrong(MarketError):
    """What came does not look like its media type; the upload begins anew at 0."""

    status = 422
    title = "The document is not of the media type announced. The upload begins anew."


class DocumentInfected(MarketError):
    """The scanner found malware; the upload begins anew at 0, and nothing of it is kept."""

    status = 422
    title = "The scanner found malware in the document. Nothing of it is kept."


@keeps("document_stays_as_completed", "document_stays_as_begun", "document_key_at_its_beginning")
class DocumentComplete(WrongStage):
    """A complete document does not change; another one is uploaded instead."""

    title = "This document is complete and does not change. Upload another one."


@keeps("document_stays_removed", "bid_document_removed_whole")
class DocumentRemoved(MarketError):
    """The document was removed, by its bidder or because nobody used it."""

    status = 410
    title = "This document was removed."


@keeps("document_stays_listed")
class DocumentListed(MarketError):
    """The version of a bid that counts lists the document: it is kept as the bid is."""

    title = "A bid lists this document: it is kept as the bid is."


@keeps("document_listed_once")
class DocumentListedBefore(MarketError):
    """The only key of a document that the market sealed is in the version that listed it.

    The market's copy is erased when a bid lists the document, so no later version can list it.
    """

    title = "A version of your bid lists this document, and holds its only key. Upload it anew."


@keeps("listed_document_complete")
class ListedDocumentMissing(MarketError):
    """A bid lists complete documents of its own bidder for its own lot."""

    title = "A document that the bid lists is not there any more. Upload it again."


@keeps("document_opens_with_envelope", "document_checked_once")
class DocumentStaysSealed(MarketError):
    """A document is opened with the envelope that lists it, and looked through once."""

    title = "A document is opened with the envelope that lists it, and not alone."


class DocumentUnusable(MarketError):
    """The bid lists this document, and what was uploaded is not it; the detail says why.

    That is on record, for whoever decides what it means for the bid.
    """

    title = "The document cannot be used."
