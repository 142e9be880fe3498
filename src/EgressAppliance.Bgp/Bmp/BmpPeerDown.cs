using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Bgp.Bmp;

/// <summary>Peer Down (RFC 7854 section 4.9, RFC 9069 section 5.3): a session of the router ended, or is no longer monitored.</summary>
public sealed class BmpPeerDown
{
    /// <summary>Why.</summary>
    public required BmpPeerDownReason Reason { get; init; }

    /// <summary>The NOTIFICATION that ended the session, or null.</summary>
    public NotificationMessage? Notification { get; private init; }

    /// <summary>Event of the router's state machine (RFC 4271 section 8.1), 0 if none fits; only with <see cref="BmpPeerDownReason.LocalNoNotification"/>.</summary>
    public ushort? FsmEvent { get; private init; }

    /// <summary>Information TLVs; only with <see cref="BmpPeerDownReason.LocalSystemClosed"/>.</summary>
    public IReadOnlyList<BmpTlv> Tlvs { get; private init; } = [];

    /// <summary>The reason in words, with the NOTIFICATION or the event.</summary>
    public override string ToString() =>
        Notification is { } notification ? $"{BmpNames.Of(Reason)}: {notification}"
        : FsmEvent is > 0 and { } code ? $"{BmpNames.Of(Reason)} (FSM event {code})"
        : BmpTlv.Find(Tlvs, BmpTlv.TableName) is { } name ? $"{BmpNames.Of(Reason)} ({name})"
        : BmpNames.Of(Reason);

    /// <summary>
    /// Reads what follows the per-peer header. Returns the error, or null with <paramref name="message"/> set. A reason that no RFC defines is kept
    /// as its number, whatever follows it: the peer is down in any case.
    /// </summary>
    public static BmpError? Decode(ReadOnlySpan<byte> body, out BmpPeerDown? message)
    {
        message = null;
        var reader = new BgpReader(body);
        if (!reader.TryReadByte(out byte code))
        {
            return new(BmpErrorKind.Truncated, "a Peer Down without a reason");
        }

        var reason = (BmpPeerDownReason)code;
        switch (reason)
        {
            case BmpPeerDownReason.LocalNotification or BmpPeerDownReason.RemoteNotification:
                if (!BgpFramer.TryReadHeader(reader.Rest, default, out BgpMessageType type, out int length, out BgpError? header))
                {
                    return new(BmpErrorKind.Truncated, "a Peer Down ends within its NOTIFICATION");
                }

                if (header is not null || type != BgpMessageType.Notification)
                {
                    return new(BmpErrorKind.BgpHeader, $"the NOTIFICATION of a Peer Down: {header?.Text ?? $"a message of type {(byte)type} stands there"}");
                }

                _ = reader.TryReadSpan(length, out ReadOnlySpan<byte> notification);
                message = new() { Reason = reason, Notification = NotificationMessage.Decode(notification[BgpConstants.HeaderLength..]) };
                return null;
            case BmpPeerDownReason.LocalNoNotification:
                if (!reader.TryReadUInt16(out ushort fsmEvent))
                {
                    return new(BmpErrorKind.Truncated, "a Peer Down ends within its event code");
                }

                message = new() { Reason = reason, FsmEvent = fsmEvent };
                return null;
            case BmpPeerDownReason.LocalSystemClosed:
                var tlvs = new List<BmpTlv>();
                BmpError? error = BmpTlv.ReadAll(ref reader, tlvs);
                message = error is null ? new() { Reason = reason, Tlvs = tlvs } : null;
                return error;
            default:
                message = new() { Reason = reason };
                return null;
        }
    }
}
