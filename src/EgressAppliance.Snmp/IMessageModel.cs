namespace EgressAppliance.Snmp;

/// <summary>What a datagram was to the request that waits.</summary>
internal enum Reception
{
    /// <summary>The answer: <see cref="IMessageModel.Answer"/>.</summary>
    Answer,

    /// <summary>Something learned: the request has to be sent again at once.</summary>
    Again,

    /// <summary>The agent refuses: <see cref="IMessageModel.Failure"/>.</summary>
    Failed,

    /// <summary>To be ignored: for an earlier request.</summary>
    Late,

    /// <summary>To be ignored: for nobody here.</summary>
    Foreign,

    /// <summary>To be ignored: undecodable, another version, or no response.</summary>
    Malformed,

    /// <summary>To be ignored: not protected as it has to be.</summary>
    NotAuthentic,
}

/// <summary>The messages of one version around the PDUs of one client, one request at a time.</summary>
internal interface IMessageModel : IDisposable
{
    /// <summary>The response, after <see cref="Reception.Answer"/>.</summary>
    SnmpPdu? Answer { get; }

    /// <summary>What is wrong, after <see cref="Reception.Failed"/>.</summary>
    SnmpResult? Failure { get; }

    /// <summary>What may be the reason if nothing that counts came, for the operator.</summary>
    string SilenceHint { get; }

    /// <summary>The outcome if nothing that counts came.</summary>
    SnmpOutcome SilenceOutcome { get; }

    /// <summary>Starts with a request.</summary>
    void Begin(SnmpPdu request);

    /// <summary>The datagram to send, for every try anew.</summary>
    byte[] Next();

    /// <summary>Takes a datagram from the agent's address.</summary>
    Reception Take(ReadOnlySpan<byte> datagram);

    /// <summary>Looks at a datagram from another address without believing it: true if it seems to answer the request that waits.</summary>
    bool SeemsAnswer(ReadOnlySpan<byte> datagram);

    /// <summary>After silence: makes the next message an empty question of another kind, whose answer would tell the reason. False if there is none.</summary>
    bool BeginProbe();

    /// <summary>The question of <see cref="BeginProbe"/> was answered; <see cref="SilenceOutcome"/> and <see cref="SilenceHint"/> tell the reason.</summary>
    void ProbeAnswered();

    /// <summary>Ends the request; what comes for it from now on is late.</summary>
    void End();
}
