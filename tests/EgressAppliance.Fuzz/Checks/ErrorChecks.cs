using EgressAppliance.Bgp.Wire;
using EgressAppliance.Fuzz.Running;

namespace EgressAppliance.Fuzz.Checks;

/// <summary>What holds for every error and every NOTIFICATION that is sent.</summary>
public static class ErrorChecks
{
    /// <summary>The error has a consequence, a text that can be printed and a code that exists.</summary>
    public static void Sound(BgpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        Check.That(error.Action is > ErrorAction.None and <= ErrorAction.SessionReset, $"an error without consequence: {error}");
        Check.That(error.Text.Length > 0 && !error.Text.Any(char.IsControl), $"the text of an error cannot be printed: {error}");
        Check.That(IsDefined(error.Code, error.Subcode), $"no such error as {error.Code}/{error.Subcode}: {error.Text}");
        if (error.Action == ErrorAction.SessionReset)
        {
            Sendable(error.ToNotification());
        }
    }

    /// <summary>It fits into a message and is read back as it was.</summary>
    public static void Sendable(NotificationMessage notification)
    {
        ArgumentNullException.ThrowIfNull(notification);
        Check.That(IsDefined(notification.Code, notification.Subcode), $"NOTIFICATION {notification.Code}/{notification.Subcode} is not defined");
        var writer = new BgpWriter(stackalloc byte[BgpConstants.MaxMessageLength]);
        notification.Encode(ref writer);
        Check.That(!writer.Overflowed && writer.Position <= BgpConstants.MaxMessageLength, $"NOTIFICATION {notification} does not fit");
        bool framed = BgpFramer.TryReadHeader(writer.Written, default, out BgpMessageType type, out int length, out BgpError? error);
        Check.That(framed && error is null && type == BgpMessageType.Notification && length == writer.Position, $"NOTIFICATION {notification} has a bad header");
        NotificationMessage read = NotificationMessage.Decode(writer.Written[BgpConstants.HeaderLength..]);
        Check.That(
            read.Code == notification.Code && read.Subcode == notification.Subcode && notification.Data.Span.StartsWith(read.Data.Span),
            $"NOTIFICATION {notification} is read back as {read}");
    }

    /// <summary>Hash over errors.</summary>
    public static void Add(ref Digest digest, IReadOnlyList<BgpError> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        foreach (BgpError error in errors)
        {
            Add(ref digest, error);
        }
    }

    /// <summary>Hash over an error.</summary>
    public static void Add(ref Digest digest, BgpError error)
    {
        ArgumentNullException.ThrowIfNull(error);
        digest.Add(((ulong)error.Action << 16) | ((ulong)error.Code << 8) | error.Subcode);
        digest.Add(error.Text);
        digest.Add(error.Data.Span);
    }

    /// <summary>Error codes and subcodes of RFC 4271 section 4.5 and 6, RFC 4486, RFC 5492, RFC 6608, RFC 7313 and RFC 9687.</summary>
    private static bool IsDefined(byte code, byte subcode) => code switch
    {
        BgpErrorCode.Header => subcode is >= 1 and <= 3,
        BgpErrorCode.Open => subcode is <= 4 or 6 or 7,
        BgpErrorCode.Update => subcode is >= 1 and <= 11 and not 7,
        BgpErrorCode.HoldTimer or BgpErrorCode.SendHoldTimer => subcode == 0,
        BgpErrorCode.Fsm => subcode <= 3,
        BgpErrorCode.Cease => subcode is >= 1 and <= 10,
        BgpErrorCode.RouteRefresh => subcode == 1,
        _ => false,
    };
}
