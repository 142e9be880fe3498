namespace EgressAppliance.Bgp.Wire;

/// <summary>Names of NOTIFICATION codes and subcodes, as the RFCs and router command lines have them.</summary>
public static class NotificationNames
{
    private static readonly string[] Codes =
    [
        "", "Message Header Error", "OPEN Message Error", "UPDATE Message Error", "Hold Timer Expired",
        "Finite State Machine Error", "Cease", "ROUTE-REFRESH Message Error", "Send Hold Timer Expired",
    ];

    private static readonly string[][] Subcodes =
    [
        [],
        ["", "Connection Not Synchronized", "Bad Message Length", "Bad Message Type"],
        [
            "Unspecific", "Unsupported Version Number", "Bad Peer AS", "Bad BGP Identifier", "Unsupported Optional Parameter",
            "Authentication Failure", "Unacceptable Hold Time", "Unsupported Capability", "", "", "", "Role Mismatch",
        ],
        [
            "Unspecific", "Malformed Attribute List", "Unrecognized Well-known Attribute", "Missing Well-known Attribute", "Attribute Flags Error",
            "Attribute Length Error", "Invalid ORIGIN Attribute", "AS Routing Loop", "Invalid NEXT_HOP Attribute", "Optional Attribute Error",
            "Invalid Network Field", "Malformed AS_PATH",
        ],
        [],
        ["Unspecified", "Unexpected Message in OpenSent", "Unexpected Message in OpenConfirm", "Unexpected Message in Established"],
        [
            "", "Maximum Number of Prefixes Reached", "Administrative Shutdown", "Peer De-configured", "Administrative Reset",
            "Connection Rejected", "Other Configuration Change", "Connection Collision Resolution", "Out of Resources", "Hard Reset", "BFD Down",
        ],
        ["", "Invalid Message Length"],
        [],
    ];

    /// <summary><c>6/2 Cease, Administrative Shutdown</c>; numbers alone where there is no name.</summary>
    public static string Describe(byte code, byte subcode)
    {
        string text = $"{code}/{subcode}";
        if (code is 0 || code >= Codes.Length)
        {
            return text;
        }

        string[] names = Subcodes[code];
        string name = subcode < names.Length ? names[subcode] : "";
        return name.Length == 0 ? $"{text} {Codes[code]}" : $"{text} {Codes[code]}, {name}";
    }
}
