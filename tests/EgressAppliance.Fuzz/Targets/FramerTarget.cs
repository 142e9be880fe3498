using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: an options octet, then a stream of messages.</summary>
public sealed class FramerTarget : IFuzzTarget
{
    private readonly List<(BgpMessageType Type, int Length)> _whole = [];
    private readonly List<(BgpMessageType Type, int Length)> _cut = [];
    private readonly FuzzRandom _random = new(0);

    public string Name => "framer";

    public string Description => "a stream of messages: the same frames and the same error however it is cut, and as RFC 4271 section 6.1 reads";

    public int Weight => 3;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        input.Append((byte)(random.OneIn(2) ? 0 : 32));
        Span<byte> chance = stackalloc byte[64];
        for (int i = random.Between(1, 6); i > 0; i--)
        {
            switch (random.Below(6))
            {
                case 0:
                    mutator.Message(input, (byte)BgpMessageType.Keepalive, []);
                    break;
                case 1:
                    input.Append(random.Pick(mutator.Corpus.Streams.Count > 0 ? mutator.Corpus.Streams : [mutator.Corpus.Opens[0].Octets]));
                    break;
                case 2:
                    random.Fill(chance);
                    mutator.Message(input, (byte)random.Between(0, 6), chance[..random.Below(chance.Length)]);
                    break;
                default:
                    mutator.Message(input, (byte)BgpMessageType.Update, random.Pick(mutator.Corpus.Updates).Body);
                    break;
            }
        }

        if (random.OneIn(2))
        {
            mutator.Octets(input, 1);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        BgpCodecOptions options = CodecOctet.Options(input.IsEmpty ? (byte)0 : input[0]);
        ReadOnlySpan<byte> stream = input.IsEmpty ? input : input[1..];
        _random.Seed(Digest.Of(input));
        BgpError? error = Frames(stream, options, chunked: false, _whole);
        BgpError? again = Frames(stream, options, chunked: true, _cut);
        Check.That(_whole.SequenceEqual(_cut), $"in pieces the stream has frames {string.Join(' ', _cut)} instead of {string.Join(' ', _whole)}");
        Check.That(
            error?.Code == again?.Code && error?.Subcode == again?.Subcode && error?.Text == again?.Text && error?.Data.Length == again?.Data.Length,
            $"in pieces the stream ends in {again} instead of {error}");
        if (error is not null)
        {
            ErrorChecks.Sound(error);
            Check.That(error is { Action: ErrorAction.SessionReset, Code: BgpErrorCode.Header }, $"a header led to {error}");
        }

        Digest digest = default;
        int at = 0;
        foreach ((BgpMessageType type, int length) in _whole)
        {
            Check.That(Expected(stream[at..], options) is null, $"a frame of type {type} and length {length} was taken");
            digest.Add(((ulong)type << 16) | (uint)length);
            at += length;
        }

        (byte Code, byte Subcode)? expected = Expected(stream[at..], options);
        Check.That(
            expected is null == error is null && (error is null || expected == (error.Code, error.Subcode)), $"ended in {error} instead of {expected}");
        digest.Add(Verdicts.Of(error));
        return new(error is not null ? Verdicts.Of(error) : at == stream.Length ? Verdicts.Accepted : Verdicts.Incomplete, digest.Value);
    }

    /// <summary>Reads the stream as a connection does: what is not used is kept in front of what comes next.</summary>
    private BgpError? Frames(ReadOnlySpan<byte> stream, in BgpCodecOptions options, bool chunked, List<(BgpMessageType, int)> into)
    {
        into.Clear();
        int start = 0;
        int have = chunked ? 0 : stream.Length;
        while (true)
        {
            ReadOnlySpan<byte> pending = stream[start..have];
            if (BgpFramer.TryReadHeader(pending, options, out BgpMessageType type, out int length, out BgpError? error))
            {
                if (error is not null)
                {
                    return error;
                }

                Check.That(length is >= BgpConstants.HeaderLength && length <= pending.Length, $"a frame of {length} octets of {pending.Length}");
                into.Add((type, length));
                start += length;
            }
            else if (have < stream.Length)
            {
                have = Math.Min(stream.Length, have + (_random.OneIn(4) ? _random.Between(1, 200) : _random.Between(1, 20)));
            }
            else
            {
                return null;
            }
        }
    }

    /// <summary>RFC 4271 section 6.1 once more: marker, then length, then type. Null: nothing is wrong, or too little is there to say so.</summary>
    private static (byte Code, byte Subcode)? Expected(ReadOnlySpan<byte> header, in BgpCodecOptions options)
    {
        for (int i = 0; i < Math.Min(16, header.Length); i++)
        {
            if (header[i] != 0xFF)
            {
                return (BgpErrorCode.Header, HeaderSubcode.NotSynchronized);
            }
        }

        if (header.Length < BgpConstants.HeaderLength)
        {
            return null;
        }

        int length = (header[16] << 8) | header[17];
        int least = header[18] switch { 1 => 29, 2 => 23, 3 => 21, 5 => 23, _ => 19 };
        int most = header[18] is 1 or 4 ? 4096 : options.ExtendedMessage ? 65535 : 4096;
        bool known = header[18] is >= 1 and <= 5;
        return length < 19 || length > most ? (BgpErrorCode.Header, HeaderSubcode.BadLength)
            : !known ? (BgpErrorCode.Header, HeaderSubcode.BadType)
            : length < least || (header[18] == 4 && length != 19) ? (BgpErrorCode.Header, HeaderSubcode.BadLength)
            : null;
    }
}
