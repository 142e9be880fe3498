namespace EgressAppliance.Tests.Cluster.Leases;

/// <summary>A router with a session to each controller: it keeps a controller's routes until they are withdrawn, the session ends, or nothing was heard for the hold time.</summary>
internal sealed class ModelRouter(LeaseModel model, int controllers)
{
    private readonly Session[] _sessions = [.. Enumerable.Range(0, controllers).Select(_ => new Session())];

    /// <summary>Number of the session that stands, 0: none does.</summary>
    public int Standing(int controller) => _sessions[controller].Number;

    public bool HasRoutes(int controller) => _sessions[controller].Routes;

    public void Open(int controller, int number)
    {
        _sessions[controller].Number = number;
        Hear(controller);
    }

    /// <summary>A message of a session; one of a session that is no more is answered by a reset, and changes nothing.</summary>
    public void Receive(int controller, int session, ModelMessage message)
    {
        if (_sessions[controller].Number != session)
        {
            return;
        }

        switch (message)
        {
            case ModelMessage.Announce:
                _sessions[controller].Routes = true;
                for (int other = 0; other < controllers; other++)
                {
                    if (other != controller && _sessions[other].Routes)
                    {
                        model.Wrong($"routes of {other} and of {controller} are at the router");
                    }
                }

                break;
            case ModelMessage.Withdraw:
                _sessions[controller].Routes = false;
                break;
            case ModelMessage.End:
                Down(controller);
                return;
            case ModelMessage.KeepAlive:
            default:
                break;
        }

        Hear(controller);
    }

    /// <summary>The hold timer, and with it what was last heard.</summary>
    private void Hear(int controller)
    {
        Session session = _sessions[controller];
        int heard = ++session.Heard;
        model.At(model.Now + (model.Options.HoldTime * 1000L), () =>
        {
            if (session.Heard == heard && session.Number != 0)
            {
                Down(controller);
            }
        });
    }

    private void Down(int controller)
    {
        Session session = _sessions[controller];
        (session.Number, session.Routes) = (0, false);
        session.Heard++;
    }

    private sealed class Session
    {
        public int Number { get; set; }

        public bool Routes { get; set; }

        public int Heard { get; set; }
    }
}

internal enum ModelMessage
{
    KeepAlive,
    Announce,
    Withdraw,
    End,
}
