using EgressAppliance.Bgp.Wire;

namespace EgressAppliance.Fuzz.Targets;

/// <summary>Verdicts as texts, made once.</summary>
internal static class Verdicts
{
    public const string Accepted = "accepted";
    public const string Incomplete = "incomplete";

    private static readonly string[] Resets = [.. Enumerable.Range(0, 9 * 16).Select(i => $"reset {i / 16}/{i % 16}")];

    public static string Of(BgpError? error) => error is null ? Accepted : Reset(error.Code, error.Subcode);

    public static string Reset(byte code, byte subcode) => code < 9 && subcode < 16 ? Resets[(code * 16) + subcode] : "reset other";

    public static string Of(UpdateMessage message) => message.Action switch
    {
        ErrorAction.None when message.EndOfRib is not null => "end of rib",
        ErrorAction.None => Accepted,
        ErrorAction.AttributeDiscard => "attribute-discard",
        ErrorAction.TreatAsWithdraw => "treat-as-withdraw",
        _ => Reset(message.Errors[^1].Code, message.Errors[^1].Subcode),
    };
}
