using System.Buffers.Binary;

namespace EgressAppliance.Bgp.Wire;

/// <summary>Finds messages in a byte stream and checks their headers (RFC 4271 section 6.1).</summary>
public static class BgpFramer
{
    /// <summary>
    /// Looks at the start of <paramref name="input"/>. False: more octets are needed. True: either a whole message is there
    /// (<paramref name="length"/> octets with its header), or <paramref name="error"/> says what is wrong with the header.
    /// A header error is told as soon as the octets that show it are there.
    /// </summary>
    public static bool TryReadHeader(
        ReadOnlySpan<byte> input, in BgpCodecOptions options, out BgpMessageType type, out int length, out BgpError? error)
    {
        type = default;
        length = 0;
        error = null;
        if (input[..Math.Min(16, input.Length)].ContainsAnyExcept((byte)0xFF))
        {
            error = BgpError.Reset(BgpErrorCode.Header, HeaderSubcode.NotSynchronized, "the marker is not all ones");
            return true;
        }

        if (input.Length < BgpConstants.HeaderLength)
        {
            return false;
        }

        length = BinaryPrimitives.ReadUInt16BigEndian(input[16..]);
        type = (BgpMessageType)input[18];
        if (length < BgpConstants.HeaderLength || length > MaxLength(type, options))
        {
            error = BadLength(type, length, input);
            return true;
        }

        if (type is < BgpMessageType.Open or > BgpMessageType.RouteRefresh)
        {
            error = BgpError.Reset(
                BgpErrorCode.Header, HeaderSubcode.BadType, $"unknown message type {(byte)type}", input.Slice(18, 1).ToArray());
            return true;
        }

        if (length < MinLength(type) || (type == BgpMessageType.Keepalive && length != BgpConstants.HeaderLength))
        {
            error = BadLength(type, length, input);
            return true;
        }

        return input.Length >= length;
    }

    private static int MaxLength(BgpMessageType type, in BgpCodecOptions options) =>
        type is BgpMessageType.Open or BgpMessageType.Keepalive ? BgpConstants.MaxMessageLength : options.MaxMessageLength;

    private static int MinLength(BgpMessageType type) => type switch
    {
        BgpMessageType.Open => 29,
        BgpMessageType.Update => 23,
        BgpMessageType.Notification => 21,
        BgpMessageType.RouteRefresh => 23,
        _ => BgpConstants.HeaderLength,
    };

    private static BgpError BadLength(BgpMessageType type, int length, ReadOnlySpan<byte> input) => BgpError.Reset(
        BgpErrorCode.Header, HeaderSubcode.BadLength, $"a message of type {(byte)type} cannot have {length} octets", input.Slice(16, 2).ToArray());
}
