using System.Text.Json;
using EgressAppliance.Bgp.Text;
using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Checks;
using EgressAppliance.Fuzz.Mutation;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Input: the body of a NOTIFICATION.</summary>
public sealed class NotificationTarget : IFuzzTarget
{
    public string Name => "notification";

    public string Description => "the body of a NOTIFICATION: kept octet for octet, and shown without control characters";

    public int Weight => 1;

    public void Make(InputBuffer input, Mutator mutator)
    {
        input.Append(mutator.Random.Pick(mutator.Corpus.Notifications).Body);
        mutator.Octets(input, 0);
        if (!mutator.Random.OneIn(4) && input.Length >= 2)
        {
            // Cease with a shutdown communication, the one kind whose data is read.
            input.Span[0] = mutator.Random.OneIn(8) ? BgpErrorCode.Update : BgpErrorCode.Cease;
            input.Span[1] = (byte)mutator.Random.Between(2, 4);
        }
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        NotificationMessage message = NotificationMessage.Decode(input);
        ReadOnlySpan<byte> data = input.Length > 2 ? input[2..] : [];
        Check.That(
            message.Code == (input.Length > 0 ? input[0] : 0) && message.Subcode == (input.Length > 1 ? input[1] : 0) && message.Data.Span.SequenceEqual(data),
            $"decoded as {message.Code}/{message.Subcode} with {message.Data.Length} octets");
        var writer = new BgpWriter(stackalloc byte[BgpConstants.MaxMessageLength]);
        message.Encode(ref writer);
        Check.That(!writer.Overflowed, $"{message} does not fit");
        ReadOnlySpan<byte> body = writer.Written[BgpConstants.HeaderLength..];
        Check.That(body[0] == message.Code && body[1] == message.Subcode && data.StartsWith(body[2..]), $"written as {Convert.ToHexStringLower(body)}");
        Check.That(data.Length > BgpConstants.MaxMessageLength - 21 || body.Length == 2 + data.Length, $"data of {data.Length} octets was cut to {body.Length - 2}");
        string text = message.ToString();
        Check.That(text.Length > 0 && !text.Any(char.IsControl), $"the text '{text}' cannot be printed");
        // RFC 9003 section 2: Cease/2 and Cease/4, one octet of length, so much text.
        bool told = message is { Code: BgpErrorCode.Cease, Subcode: 2 or 4 } && data.Length > 1 && data[0] > 0 && data[0] < data.Length;
        Check.That(told == message.ShutdownText is not null, $"shutdown communication '{message.ShutdownText}' in {Convert.ToHexStringLower(input)}");
        Digest digest = default;
        digest.Add(text);
        digest.Add(message.ShutdownText ?? "");
        return new(message.ShutdownText is null ? Verdicts.Accepted : "shutdown communication", digest.Value);
    }
}

/// <summary>Input: the body of a ROUTE-REFRESH.</summary>
public sealed class RefreshTarget : IFuzzTarget
{
    public string Name => "refresh";

    public string Description => "the body of a ROUTE-REFRESH: written and read again equal";

    public int Weight => 1;

    public void Make(InputBuffer input, Mutator mutator)
    {
        input.Append(mutator.Random.Pick(mutator.Corpus.Refreshes).Body);
        mutator.Octets(input, 0);
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        BgpError? error = RouteRefreshMessage.Decode(input, out RouteRefreshMessage? message);
        Check.That(error is null == input.Length >= 4, $"{input.Length} octets led to {error}");
        Digest digest = default;
        if (error is not null)
        {
            ErrorChecks.Sound(error);
            ErrorChecks.Add(ref digest, error);
            return new(Verdicts.Of(error), digest.Value);
        }

        var writer = new BgpWriter(stackalloc byte[64]);
        message!.Encode(ref writer);
        Check.That(writer.Written[BgpConstants.HeaderLength..].SequenceEqual(input[..4]), $"{message} is written as {Convert.ToHexStringLower(writer.Written)}");
        digest.Add(message.ToString());
        return new(message.Family.Family is null ? "other family" : Verdicts.Accepted, digest.Value);
    }
}

/// <summary>Input: an options octet, then one whole message.</summary>
public sealed class JsonTarget : IFuzzTarget
{
    public string Name => "json";

    public string Description => "a whole message of any type as JSON: always one valid object, an error in it exactly if the decoder has one";

    public int Weight => 1;

    public void Make(InputBuffer input, Mutator mutator)
    {
        FuzzRandom random = mutator.Random;
        CorpusMessage message = random.Pick(random.Below(6) switch
        {
            0 => mutator.Corpus.Opens,
            1 => mutator.Corpus.Notifications,
            2 => mutator.Corpus.Refreshes,
            _ => mutator.Corpus.Updates,
        });
        input.Append((byte)(message.Options | (random.OneIn(4) ? 8 : 0)));
        input.Append(message.Octets);
        mutator.Octets(input, random.OneIn(8) || input.Length < 21 ? 1 : 20);
    }

    public FuzzOutcome Fuzz(ReadOnlySpan<byte> input)
    {
        BgpCodecOptions options = CodecOctet.Options(input.IsEmpty ? (byte)0 : input[0]);
        ReadOnlySpan<byte> message = input.IsEmpty ? input : input[1..];
        string text = MessageJson.ToJson(message, options);
        using var json = JsonDocument.Parse(text);
        Check.That(json.RootElement.ValueKind == JsonValueKind.Object, $"not an object: {text}");
        Check.That(text == MessageJson.ToJson(message, options), $"the second time it is another text");
        bool framed = BgpFramer.TryReadHeader(message, options, out BgpMessageType type, out int length, out BgpError? error) && error is null && length == message.Length;
        bool told = json.RootElement.TryGetProperty("error", out _);
        Check.That(told == (!framed || IsBad(type, message[BgpConstants.HeaderLength..], options)), $"an error is {(told ? "told" : "not told")}: {text}");
        return new(!framed ? "bad header" : told ? "error" : Verdicts.Accepted, Digest.Of(text));
    }

    private static bool IsBad(BgpMessageType type, ReadOnlySpan<byte> body, in BgpCodecOptions options) => type switch
    {
        BgpMessageType.Open => OpenMessage.Decode(body, out _) is not null,
        BgpMessageType.Update => UpdateDecoder.Decode(body, options, new UpdateMessage()) != ErrorAction.None,
        BgpMessageType.RouteRefresh => RouteRefreshMessage.Decode(body, out _) is not null,
        _ => false,
    };
}
