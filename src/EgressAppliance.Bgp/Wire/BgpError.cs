namespace EgressAppliance.Bgp.Wire;

/// <summary>What a receiver does about an error, the stronger the higher (RFC 7606 section 2). AFI/SAFI disable is not used.</summary>
public enum ErrorAction
{
    /// <summary>Nothing is wrong.</summary>
    None,

    /// <summary>The attribute is dropped and the rest of the message used.</summary>
    AttributeDiscard,

    /// <summary>The routes of the message are treated as withdrawn.</summary>
    TreatAsWithdraw,

    /// <summary>A NOTIFICATION is sent and the connection closed.</summary>
    SessionReset,
}

/// <summary>An error in a message, typed by its consequence.</summary>
/// <param name="Action">The consequence.</param>
/// <param name="Code">NOTIFICATION error code that names the error, sent only on <see cref="ErrorAction.SessionReset"/>.</param>
/// <param name="Subcode">NOTIFICATION error subcode.</param>
/// <param name="Text">The error in words.</param>
public sealed record BgpError(ErrorAction Action, byte Code, byte Subcode, string Text)
{
    /// <summary>The NOTIFICATION's data field, or empty.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The NOTIFICATION to send.</summary>
    public NotificationMessage ToNotification() => new(Code, Subcode, Data);

    internal static BgpError Reset(byte code, byte subcode, string text, ReadOnlyMemory<byte> data = default) =>
        new(ErrorAction.SessionReset, code, subcode, text) { Data = data };

    internal static BgpError Withdraw(byte subcode, string text) => new(ErrorAction.TreatAsWithdraw, BgpErrorCode.Update, subcode, text);

    internal static BgpError Discard(byte subcode, string text) => new(ErrorAction.AttributeDiscard, BgpErrorCode.Update, subcode, text);
}

/// <summary>NOTIFICATION error codes (RFC 4271 section 4.5, RFC 9687).</summary>
public static class BgpErrorCode
{
    /// <summary>Message Header Error.</summary>
    public const byte Header = 1;

    /// <summary>OPEN Message Error.</summary>
    public const byte Open = 2;

    /// <summary>UPDATE Message Error.</summary>
    public const byte Update = 3;

    /// <summary>Hold Timer Expired.</summary>
    public const byte HoldTimer = 4;

    /// <summary>Finite State Machine Error.</summary>
    public const byte Fsm = 5;

    /// <summary>Cease.</summary>
    public const byte Cease = 6;

    /// <summary>ROUTE-REFRESH Message Error (RFC 7313).</summary>
    public const byte RouteRefresh = 7;

    /// <summary>Send Hold Timer Expired (RFC 9687).</summary>
    public const byte SendHoldTimer = 8;
}

/// <summary>Subcodes of Message Header Error (RFC 4271 section 6.1).</summary>
public static class HeaderSubcode
{
    /// <summary>Connection Not Synchronized.</summary>
    public const byte NotSynchronized = 1;

    /// <summary>Bad Message Length.</summary>
    public const byte BadLength = 2;

    /// <summary>Bad Message Type.</summary>
    public const byte BadType = 3;
}

/// <summary>Subcodes of OPEN Message Error (RFC 4271 section 6.2, RFC 5492).</summary>
public static class OpenSubcode
{
    /// <summary>Unspecific.</summary>
    public const byte Unspecific = 0;

    /// <summary>Unsupported Version Number.</summary>
    public const byte Version = 1;

    /// <summary>Bad Peer AS.</summary>
    public const byte PeerAs = 2;

    /// <summary>Bad BGP Identifier.</summary>
    public const byte Identifier = 3;

    /// <summary>Unsupported Optional Parameter.</summary>
    public const byte OptionalParameter = 4;

    /// <summary>Unacceptable Hold Time.</summary>
    public const byte HoldTime = 6;

    /// <summary>Unsupported Capability (RFC 5492).</summary>
    public const byte Capability = 7;
}

/// <summary>Subcodes of UPDATE Message Error (RFC 4271 section 6.3).</summary>
public static class UpdateSubcode
{
    /// <summary>Malformed Attribute List.</summary>
    public const byte AttributeList = 1;

    /// <summary>Unrecognized Well-known Attribute.</summary>
    public const byte UnknownWellKnown = 2;

    /// <summary>Missing Well-known Attribute.</summary>
    public const byte MissingWellKnown = 3;

    /// <summary>Attribute Flags Error.</summary>
    public const byte Flags = 4;

    /// <summary>Attribute Length Error.</summary>
    public const byte Length = 5;

    /// <summary>Invalid ORIGIN Attribute.</summary>
    public const byte Origin = 6;

    /// <summary>Invalid NEXT_HOP Attribute.</summary>
    public const byte NextHop = 8;

    /// <summary>Optional Attribute Error.</summary>
    public const byte Optional = 9;

    /// <summary>Invalid Network Field.</summary>
    public const byte Network = 10;

    /// <summary>Malformed AS_PATH.</summary>
    public const byte AsPath = 11;
}

/// <summary>Subcodes of Finite State Machine Error (RFC 6608 section 3).</summary>
public static class FsmSubcode
{
    /// <summary>Unspecified.</summary>
    public const byte Unspecified = 0;

    /// <summary>Unexpected message in OpenSent.</summary>
    public const byte OpenSent = 1;

    /// <summary>Unexpected message in OpenConfirm.</summary>
    public const byte OpenConfirm = 2;

    /// <summary>Unexpected message in Established.</summary>
    public const byte Established = 3;
}

/// <summary>Subcodes of Cease (RFC 4486, RFC 8538, RFC 9384).</summary>
public static class CeaseSubcode
{
    /// <summary>Maximum Number of Prefixes Reached.</summary>
    public const byte MaxPrefix = 1;

    /// <summary>Administrative Shutdown.</summary>
    public const byte Shutdown = 2;

    /// <summary>Peer De-configured.</summary>
    public const byte Deconfigured = 3;

    /// <summary>Administrative Reset.</summary>
    public const byte Reset = 4;

    /// <summary>Connection Rejected.</summary>
    public const byte Rejected = 5;

    /// <summary>Other Configuration Change.</summary>
    public const byte ConfigurationChange = 6;

    /// <summary>Connection Collision Resolution.</summary>
    public const byte Collision = 7;

    /// <summary>Out of Resources.</summary>
    public const byte OutOfResources = 8;

    /// <summary>Hard Reset (RFC 8538 section 3): the end that no graceful restart may bridge. Its data hold the real code, subcode and data.</summary>
    public const byte HardReset = 9;

    /// <summary>BFD Down (RFC 9384).</summary>
    public const byte BfdDown = 10;
}
